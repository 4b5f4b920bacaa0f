#include "core/graph/graph_pruning.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// Takes out the nodes that nothing needs. Returns, by ValueId, whether what is
// left reads or makes the value.
std::vector<bool> PruneNodes(Graph& graph) {
  std::vector<bool> read(graph.values.size());
  for (const ValueId output : graph.outputs) {
    read[output] = true;
  }
  // Backwards: who reads the outputs of a node is known before the node.
  std::vector<Node> kept;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    Node& node = graph.nodes[i];
    const auto is_needed = [&](ValueId output) {
      return read[output] && graph.values[output].constant == nullptr;
    };
    if (!std::ranges::any_of(node.outputs, is_needed)) {
      continue;
    }
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) {
        read[input] = true;
      }
    }
    kept.push_back(std::move(node));
  }
  std::ranges::reverse(kept);
  graph.nodes = std::move(kept);
  for (const Node& node : graph.nodes) {
    for (const ValueId output : node.outputs) {
      read[output] = true;
    }
  }
  for (const ValueId input : graph.inputs) {
    read[input] = true;
  }
  return read;
}

}  // namespace

void PruneGraph(Graph& graph) {
  const std::vector<bool> needed = PruneNodes(graph);
  std::vector<ValueId> new_ids(graph.values.size(), kNoValue);
  std::vector<Value> kept;
  std::set<const Tensor*> constants;
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    if (needed[id]) {
      new_ids[id] = kept.size();
      kept.push_back(std::move(graph.values[id]));
      constants.insert(kept.back().constant);
    }
  }
  graph.values = std::move(kept);
  std::erase_if(graph.constants, [&](const auto& constant) {
    return !constants.contains(constant.get());
  });
  const auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) {
      id = id == kNoValue ? kNoValue : new_ids[id];
    }
  };
  for (Node& node : graph.nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
  }
  renumber(graph.inputs);
  renumber(graph.outputs);
}

}  // namespace relu
