#include "core/plan/rewrite.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/plan/graph_pattern.h"
#include "core/plan/graph_uses.h"
#include "core/plan/rewrite_activation.h"
#include "core/plan/rewrite_gelu.h"
#include "core/plan/rewrite_layer_norm.h"
#include "core/plan/storage.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

// What `node` and those before it are together, or nullopt. Any new constant is
// added to the graph.
std::optional<Node> Recognise(const GraphPattern& pattern, const Node& node,
                              Graph& graph) {
  if (auto found = AsActivation(pattern, node)) {
    return found;
  }
  if (auto found = AsGelu(pattern, node)) {
    return found;
  }
  return AsLayerNormalization(pattern, node, graph);
}

// Only what is computed in float32 has the larger operators.
bool MayBeRewritten(const Graph& graph, const Node& node) {
  const Value& result = graph.values[node.outputs[0]];
  return node.outputs.size() == 1 && result.is_batched() &&
         StorageType(result.type) == DataType::kFp32;
}

// Gives each node that only the original needs to the node that takes its
// result, directly or through others.
std::vector<std::vector<std::size_t>> FindAbsorbed(const Graph& original,
                                                   const Graph& rewritten) {
  const GraphUses before(original);
  const GraphUses after(rewritten);
  std::vector<std::size_t> owner(original.nodes.size());
  std::vector<std::vector<std::size_t>> absorbed(original.nodes.size());
  for (std::size_t i = original.nodes.size(); i-- > 0;) {
    if (after.IsLive(i)) {
      owner[i] = i;
    } else if (before.IsLive(i)) {
      absorbed[owner[i]].push_back(i);
    }
    if (!before.IsLive(i)) {
      continue;
    }
    for (const ValueId input : original.nodes[i].inputs) {
      if (input == kNoValue) {
        continue;
      }
      if (const std::optional<std::size_t> producer = before.Producer(input)) {
        owner[*producer] = owner[i];
      }
    }
  }
  return absorbed;
}

}  // namespace

RewrittenGraph Rewrite(const Graph& graph) {
  RewrittenGraph rewritten;
  rewritten.graph = graph;
  Graph& copy = rewritten.graph;
  const GraphPattern pattern(copy);
  for (Node& node : copy.nodes) {
    if (graph.couples_rows) {
      break;  // The interpreter runs it as it is.
    }
    // One replacement may be the last node of another pattern.
    while (MayBeRewritten(copy, node)) {
      std::optional<Node> found = Recognise(pattern, node, copy);
      if (!found.has_value()) {
        break;
      }
      found->name = node.name;
      found->outputs = node.outputs;
      node = *std::move(found);
    }
  }
  rewritten.absorbed = FindAbsorbed(graph, copy);
  return rewritten;
}

}  // namespace relu
