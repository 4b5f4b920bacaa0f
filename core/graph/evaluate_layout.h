// The operators that move elements, as the interpreter runs them: byte for
// byte.

#ifndef CORE_GRAPH_EVALUATE_LAYOUT_H_
#define CORE_GRAPH_EVALUATE_LAYOUT_H_

#include "absl/status/status.h"

#include "core/graph/evaluation.h"

namespace relu {

// As OperatorDefinition::evaluate says.

absl::Status EvaluateConcat(const Evaluation& run);
absl::Status EvaluateExpand(const Evaluation& run);
// INVALID_ARGUMENT if an index is outside of its dimension.
absl::Status EvaluateGather(const Evaluation& run);
// Flatten, Reshape, Squeeze, Unsqueeze.
absl::Status EvaluateReshape(const Evaluation& run);
absl::Status EvaluateShape(const Evaluation& run);
absl::Status EvaluateSize(const Evaluation& run);
absl::Status EvaluateSlice(const Evaluation& run);
absl::Status EvaluateSplit(const Evaluation& run);
absl::Status EvaluateTranspose(const Evaluation& run);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATE_LAYOUT_H_
