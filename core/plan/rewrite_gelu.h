// AsGelu: Gelu, taken apart into its definition.

#ifndef CORE_PLAN_REWRITE_GELU_H_
#define CORE_PLAN_REWRITE_GELU_H_

#include <optional>

#include "core/graph/graph.h"
#include "core/plan/graph_pattern.h"

namespace relu {

// A Gelu if `node` is the last step of x / 2 * (1 + Erf(x / sqrt(2))), or of
// x / 2 * (1 + Tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))), with the factors in
// any order; else nullopt.
std::optional<Node> AsGelu(const GraphPattern& pattern, const Node& node);

}  // namespace relu

#endif  // CORE_PLAN_REWRITE_GELU_H_
