// Products of matrices, as the interpreter runs them.

#ifndef CORE_GRAPH_EVALUATE_PRODUCT_H_
#define CORE_GRAPH_EVALUATE_PRODUCT_H_

#include "absl/status/status.h"

#include "core/graph/evaluation.h"

namespace relu {

// As OperatorDefinition::evaluate says. Integers are exact.
absl::Status EvaluateGemm(const Evaluation& run);
absl::Status EvaluateMatMul(const Evaluation& run);
absl::Status EvaluateMatMulInteger(const Evaluation& run);
absl::Status EvaluateQLinearMatMul(const Evaluation& run);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATE_PRODUCT_H_
