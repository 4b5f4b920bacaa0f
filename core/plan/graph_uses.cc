#include "core/plan/graph_uses.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "core/graph/graph.h"

namespace relu {

GraphUses::GraphUses(const Graph& graph)
    : live_(graph.nodes.size()),
      uses_(graph.values.size()),
      producers_(graph.values.size()) {
  for (const ValueId output : graph.outputs) {
    ++uses_[output].count;
  }
  // Nodes are in the order of execution, so going backwards all uses of a
  // node's outputs are known before the node is judged.
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    for (const ValueId output : node.outputs) {
      producers_[output] = i;
    }
    live_[i] = std::ranges::any_of(
        node.outputs, [this](ValueId output) { return IsUsed(output); });
    if (!live_[i]) {
      continue;
    }
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) {
        ++uses_[input].count;
        uses_[input].last_consumer = i;
      }
    }
  }
}

std::optional<std::size_t> GraphUses::OnlyConsumer(ValueId value) const {
  return uses_[value].count == 1 ? uses_[value].last_consumer : std::nullopt;
}

}  // namespace relu
