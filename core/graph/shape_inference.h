// Types and shapes of the results of operators that compute element by element,
// multiply matrices or go along one axis, by the rules of ONNX. A dimension is
// known or the batch (kBatchDim), in any position.

#ifndef CORE_GRAPH_SHAPE_INFERENCE_H_
#define CORE_GRAPH_SHAPE_INFERENCE_H_

#include "absl/status/statusor.h"

#include "core/graph/operators.h"

namespace relu {

// As OperatorDefinition::infer says, and Attributes of the form they bring
// attributes to.

// One input, floating-point alone.
absl::StatusOr<OutputTypes> InferActivation(InferenceContext& context);
// One input of any numbers: Abs, Neg, Relu, Sign.
absl::StatusOr<OutputTypes> InferUnary(InferenceContext& context);
// Inputs of one type that broadcast: Add, ..., Max, ..., Sum.
absl::StatusOr<OutputTypes> InferArithmetic(InferenceContext& context);
absl::StatusOr<OutputTypes> InferPow(InferenceContext& context);
absl::StatusOr<OutputTypes> InferPRelu(InferenceContext& context);
absl::StatusOr<OutputTypes> InferClip(InferenceContext& context);
absl::StatusOr<OutputTypes> InferGelu(InferenceContext& context);
// Equal, Greater, ...: BOOL.
absl::StatusOr<OutputTypes> InferComparison(InferenceContext& context);
// And, Not, Or, Xor.
absl::StatusOr<OutputTypes> InferLogic(InferenceContext& context);
absl::StatusOr<OutputTypes> InferWhere(InferenceContext& context);
absl::StatusOr<OutputTypes> InferCast(InferenceContext& context);
absl::StatusOr<OutputTypes> InferGemm(InferenceContext& context);
absl::StatusOr<OutputTypes> InferMatMul(InferenceContext& context);
// Softmax, LogSoftmax.
absl::StatusOr<OutputTypes> InferSoftmax(InferenceContext& context);

// The shape of the product of inputs `left` and `right`, as MatMul has it.
absl::StatusOr<Shape> InferProduct(const InferenceContext& context,
                                   std::size_t left, std::size_t right);

}  // namespace relu

#endif  // CORE_GRAPH_SHAPE_INFERENCE_H_
