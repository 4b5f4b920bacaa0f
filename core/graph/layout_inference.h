// Types and shapes of the results of operators that move elements and compute
// none, by the rules of shape_inference.h.

#ifndef CORE_GRAPH_LAYOUT_INFERENCE_H_
#define CORE_GRAPH_LAYOUT_INFERENCE_H_

#include "absl/status/statusor.h"

#include "core/graph/operators.h"

namespace relu {

// As OperatorDefinition::infer says. Attributes that they complete: "axis"
// counts from the front, "perm" of Transpose is filled in.
absl::StatusOr<OutputTypes> InferConcat(InferenceContext& context);
absl::StatusOr<OutputTypes> InferFlatten(InferenceContext& context);
absl::StatusOr<OutputTypes> InferGather(InferenceContext& context);
absl::StatusOr<OutputTypes> InferReshape(InferenceContext& context);
absl::StatusOr<OutputTypes> InferTranspose(InferenceContext& context);

}  // namespace relu

#endif  // CORE_GRAPH_LAYOUT_INFERENCE_H_
