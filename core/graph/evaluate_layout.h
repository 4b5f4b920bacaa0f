// The operators that move elements, as the interpreter runs them: byte for
// byte.

#ifndef CORE_GRAPH_EVALUATE_LAYOUT_H_
#define CORE_GRAPH_EVALUATE_LAYOUT_H_

#include "absl/status/statusor.h"

#include "core/graph/evaluation.h"
#include "core/tensor/tensor.h"

namespace relu {

Tensor EvaluateConcat(const Evaluation& run);
// INVALID_ARGUMENT, naming the index, if one is outside of its axis.
absl::StatusOr<Tensor> EvaluateGather(const Evaluation& run);
// Flatten, Reshape.
Tensor EvaluateReshape(const Evaluation& run);
Tensor EvaluateTranspose(const Evaluation& run);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATE_LAYOUT_H_
