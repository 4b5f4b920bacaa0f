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
absl::StatusOr<ValueType> InferActivation(InferenceContext& context);
absl::StatusOr<ValueType> InferArgMax(InferenceContext& context);
absl::StatusOr<ValueType> InferArithmetic(InferenceContext& context);
absl::StatusOr<ValueType> InferCast(InferenceContext& context);
absl::StatusOr<ValueType> InferGemm(InferenceContext& context);
absl::StatusOr<ValueType> InferMatMul(InferenceContext& context);
absl::StatusOr<ValueType> InferSoftmax(InferenceContext& context);

}  // namespace relu

#endif  // CORE_GRAPH_SHAPE_INFERENCE_H_
