// Types and shapes of the results of operators that compute, by the rules of
// ONNX, with the batch dimension first and apart: whatever would mix rows is
// refused.

#ifndef CORE_GRAPH_SHAPE_INFERENCE_H_
#define CORE_GRAPH_SHAPE_INFERENCE_H_

#include "absl/status/statusor.h"

#include "core/graph/operators.h"

namespace relu {

// As OperatorDefinition::infer says. Attributes that they complete: "axis" (all
// count from the front), "flatten" of Softmax (1: the softmax goes over all
// dimensions from the axis on, as before opset 13), "to" of Cast (a DataType).
absl::StatusOr<OutputTypes> InferActivation(InferenceContext& context);
absl::StatusOr<OutputTypes> InferArgMax(InferenceContext& context);
absl::StatusOr<OutputTypes> InferArithmetic(InferenceContext& context);
absl::StatusOr<OutputTypes> InferCast(InferenceContext& context);
absl::StatusOr<OutputTypes> InferGemm(InferenceContext& context);
absl::StatusOr<OutputTypes> InferMatMul(InferenceContext& context);
absl::StatusOr<OutputTypes> InferSoftmax(InferenceContext& context);

}  // namespace relu

#endif  // CORE_GRAPH_SHAPE_INFERENCE_H_
