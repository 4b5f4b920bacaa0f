// The operators that compute, as the interpreter runs them: by definition, in
// double precision; integers exactly.

#ifndef CORE_GRAPH_EVALUATE_COMPUTE_H_
#define CORE_GRAPH_EVALUATE_COMPUTE_H_

#include "absl/status/statusor.h"

#include "core/graph/evaluation.h"
#include "core/tensor/tensor.h"

namespace relu {

// Relu, Sigmoid, Tanh.
Tensor EvaluateActivation(const Evaluation& run);
// The first of equals, or the last if "select_last_index"; NaN is greatest.
Tensor EvaluateArgMax(const Evaluation& run);
// Add, Sub, Mul, Div. INVALID_ARGUMENT if an integer is divided by zero.
absl::StatusOr<Tensor> EvaluateArithmetic(const Evaluation& run);
Tensor EvaluateCast(const Evaluation& run);
Tensor EvaluateGemm(const Evaluation& run);
Tensor EvaluateMatMul(const Evaluation& run);
Tensor EvaluateSoftmax(const Evaluation& run);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATE_COMPUTE_H_
