// The operators of several inputs that broadcast, as the interpreter runs them.

#ifndef CORE_GRAPH_EVALUATE_ARITHMETIC_H_
#define CORE_GRAPH_EVALUATE_ARITHMETIC_H_

#include "absl/status/status.h"

#include "core/graph/evaluation.h"

namespace relu {

// As OperatorDefinition::evaluate says.

// Add, Sub, Mul, Div, Max, Min, Sum, Mean, of one input or more. NaN wins over
// all; integers divide towards zero. INVALID_ARGUMENT if one is divided by
// zero.
absl::Status EvaluateArithmetic(const Evaluation& run);
// Of integers too: exactly if the exponent is one.
absl::Status EvaluatePow(const Evaluation& run);
absl::Status EvaluatePRelu(const Evaluation& run);
// Equal, Less, ...: false where an operand is NaN.
absl::Status EvaluateComparison(const Evaluation& run);
// And, Or, Xor.
absl::Status EvaluateLogic(const Evaluation& run);
absl::Status EvaluateWhere(const Evaluation& run);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATE_ARITHMETIC_H_
