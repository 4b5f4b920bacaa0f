// The operators that scale values by statistics of many, as the interpreter
// runs them.

#ifndef CORE_GRAPH_EVALUATE_NORMALIZATION_H_
#define CORE_GRAPH_EVALUATE_NORMALIZATION_H_

#include "absl/status/status.h"

#include "core/graph/evaluation.h"

namespace relu {

// As OperatorDefinition::evaluate says.

absl::Status EvaluateBatchNormalization(const Evaluation& run);
absl::Status EvaluateLayerNormalization(const Evaluation& run);
// Softmax, LogSoftmax.
absl::Status EvaluateSoftmax(const Evaluation& run);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATE_NORMALIZATION_H_
