// GraphUses: which nodes of a graph matter for its outputs, and who uses what.

#ifndef CORE_PLAN_GRAPH_USES_H_
#define CORE_PLAN_GRAPH_USES_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "core/graph/graph.h"

namespace relu {

// Immutable after construction.
class GraphUses {
 public:
  explicit GraphUses(const Graph& graph);

  // Whether an output of the graph depends on node graph.nodes[node].
  bool IsLive(std::size_t node) const { return live_[node]; }

  // How often `value` is an output or an input of a live node.
  std::size_t Count(ValueId value) const { return uses_[value].count; }
  bool IsUsed(ValueId value) const { return Count(value) > 0; }

  // The node that computes `value`; nullopt for inputs and constants.
  std::optional<std::size_t> Producer(ValueId value) const {
    return producers_[value];
  }

  // The node that alone uses `value`, once, as one of its inputs; nullopt if
  // there are more uses or the value is an output of the graph.
  std::optional<std::size_t> OnlyConsumer(ValueId value) const;

 private:
  struct Uses {
    std::size_t count = 0;
    std::optional<std::size_t> last_consumer;  // nullopt: an output alone.
  };

  std::vector<bool> live_;                             // By node.
  std::vector<Uses> uses_;                             // By value.
  std::vector<std::optional<std::size_t>> producers_;  // By value.
};

}  // namespace relu

#endif  // CORE_PLAN_GRAPH_USES_H_
