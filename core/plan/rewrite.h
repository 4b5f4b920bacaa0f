// Rewrite: the same network with fewer, larger nodes.

#ifndef CORE_PLAN_REWRITE_H_
#define CORE_PLAN_REWRITE_H_

#include <cstddef>
#include <vector>

#include "core/graph/graph.h"

namespace relu {

struct RewrittenGraph {
  // Nodes and values are those of the original, at the same places. Some nodes
  // are others now, with the same output; others no output depends on any more.
  Graph graph;
  // By node: the nodes that are part of it now, besides itself.
  std::vector<std::vector<std::size_t>> absorbed;
};

// Recognises what exporters have taken apart, pattern by pattern (the files
// rewrite_*): Relu, Gelu, Swish, HardSwish, HardSigmoid, Mish,
// LayerNormalization. Answers stay within 1e-5 relative.
RewrittenGraph Rewrite(const Graph& graph);

}  // namespace relu

#endif  // CORE_PLAN_REWRITE_H_
