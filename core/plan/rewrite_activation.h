// AsActivation: Relu, Swish, HardSigmoid, HardSwish and Mish, taken apart.

#ifndef CORE_PLAN_REWRITE_ACTIVATION_H_
#define CORE_PLAN_REWRITE_ACTIVATION_H_

#include <optional>

#include "core/graph/graph.h"
#include "core/plan/graph_pattern.h"

namespace relu {

// The operator, inputs and attributes of what `node` is the last step of:
//   Relu         Max(x, 0), Clip(x, 0, no upper bound)
//   Square       Pow(x, 2), as Mul(x, x)
//   Swish        x * Sigmoid(x), x * Sigmoid(c * x)
//   HardSigmoid  Clip(x + 3, 0, 6) / 6
//   HardSwish    x * HardSigmoid(x) with 1 / 6 and 1 / 2
//   Mish         x * Tanh(Softplus(x))
// nullopt if it is none of these.
std::optional<Node> AsActivation(const GraphPattern& pattern, const Node& node);

}  // namespace relu

#endif  // CORE_PLAN_REWRITE_ACTIVATION_H_
