// The operators of one input that compute element by element, as the
// interpreter runs them.

#ifndef CORE_GRAPH_EVALUATE_ELEMENTWISE_H_
#define CORE_GRAPH_EVALUATE_ELEMENTWISE_H_

#include "absl/status/status.h"

#include "core/graph/evaluation.h"

namespace relu {

// As OperatorDefinition::evaluate says.

// Functions of floating-point numbers; NaN stays NaN.
absl::Status EvaluateActivation(const Evaluation& run);
// Abs, Neg, Relu, Sign: integers exactly, modulo 2^bits.
absl::Status EvaluateUnary(const Evaluation& run);
// NaN stays; where the bounds cross, the upper one.
absl::Status EvaluateClip(const Evaluation& run);
absl::Status EvaluateNot(const Evaluation& run);
absl::Status EvaluateCast(const Evaluation& run);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATE_ELEMENTWISE_H_
