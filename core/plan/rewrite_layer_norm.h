// AsLayerNormalization: LayerNormalization, taken apart into its definition.

#ifndef CORE_PLAN_REWRITE_LAYER_NORM_H_
#define CORE_PLAN_REWRITE_LAYER_NORM_H_

#include <optional>

#include "core/graph/graph.h"
#include "core/plan/graph_pattern.h"

namespace relu {

// A LayerNormalization if `node` is the last step of
//   d / Sqrt(ReduceMean(d^2) + epsilon) with d = x - ReduceMean(x),
// or multiplies one that has no scale by a constant, or adds a constant to one
// that has no shift; else nullopt. A scale of 1 is added to `graph`, which is
// that of the pattern.
std::optional<Node> AsLayerNormalization(const GraphPattern& pattern,
                                         const Node& node, Graph& graph);

}  // namespace relu

#endif  // CORE_PLAN_REWRITE_LAYER_NORM_H_
