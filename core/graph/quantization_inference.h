// Types and shapes of the results of operators that quantize, and of products
// of quantized matrices.

#ifndef CORE_GRAPH_QUANTIZATION_INFERENCE_H_
#define CORE_GRAPH_QUANTIZATION_INFERENCE_H_

#include "absl/status/statusor.h"

#include "core/graph/operators.h"

namespace relu {

// As OperatorDefinition::infer says.
absl::StatusOr<OutputTypes> InferQuantizeLinear(InferenceContext& context);
absl::StatusOr<OutputTypes> InferDequantizeLinear(InferenceContext& context);
absl::StatusOr<OutputTypes> InferDynamicQuantizeLinear(
    InferenceContext& context);
absl::StatusOr<OutputTypes> InferMatMulInteger(InferenceContext& context);
absl::StatusOr<OutputTypes> InferQLinearMatMul(InferenceContext& context);

}  // namespace relu

#endif  // CORE_GRAPH_QUANTIZATION_INFERENCE_H_
