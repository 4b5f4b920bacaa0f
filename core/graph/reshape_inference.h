// Types and shapes of the results of operators that give the same elements
// another shape, and of those that ask for a shape.

#ifndef CORE_GRAPH_RESHAPE_INFERENCE_H_
#define CORE_GRAPH_RESHAPE_INFERENCE_H_

#include "absl/status/statusor.h"

#include "core/graph/operators.h"

namespace relu {

// As OperatorDefinition::infer says, and Attributes of the form they bring
// attributes to.
absl::StatusOr<OutputTypes> InferFlatten(InferenceContext& context);
absl::StatusOr<OutputTypes> InferReshape(InferenceContext& context);
absl::StatusOr<OutputTypes> InferSqueeze(InferenceContext& context);
absl::StatusOr<OutputTypes> InferUnsqueeze(InferenceContext& context);
absl::StatusOr<OutputTypes> InferShape(InferenceContext& context);
absl::StatusOr<OutputTypes> InferSize(InferenceContext& context);

// Whether the operator gives the same elements, in the same order, the shape of
// its output.
bool IsReshape(Operator op);

}  // namespace relu

#endif  // CORE_GRAPH_RESHAPE_INFERENCE_H_
