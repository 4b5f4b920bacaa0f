// NetworkBuilder: a PiecewiseNetwork while it is made, and what the values of
// the graph are in it.

#ifndef CORE_RELU_NETWORK_BUILDER_H_
#define CORE_RELU_NETWORK_BUILDER_H_

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/plan/dense_layer.h"
#include "core/plan/index_table.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/tensor.h"

namespace relu {

// UNIMPLEMENTED, with the node's name, the reason and advice.
absl::Status RefuseToExplain(const Node& node, std::string_view why);

// For one thread.
class NetworkBuilder {
 public:
  // Borrows the graph, which keeps rows apart; its inputs are in place.
  explicit NetworkBuilder(const Graph& graph);

  const Graph& graph() const { return graph_; }
  const Value& value(ValueId id) const { return graph_.values[id]; }
  bool IsConstant(ValueId id) const { return value(id).constant != nullptr; }

  // Whether `id` is integers, which only tables and conversions read.
  bool IsIntegers(ValueId id) const { return integers_.contains(id); }

  // Errors: UNIMPLEMENTED, naming `node`, if `id` is no floats.
  absl::StatusOr<Slot> Floats(const Node& node, ValueId id) const;
  // The same, broadcast to `like`.
  absl::StatusOr<Slot> FloatsLike(const Node& node, ValueId id,
                                  const Value& like);

  // --- What values are ---
  void Place(ValueId id, const Slot& slot) { slots_[id] = slot; }
  Slot Define(ValueId id);  // In a slot of its own.
  void Alias(ValueId id, ValueId of);

  // --- Operations ---
  void AddLayer(const DenseLayer& layer, const Slot& input, const Slot& output);
  // A slot of its own for the result.
  Slot AddArithmetic(ArithmeticOp::Kind kind, const Slot& input,
                     std::vector<float> constants);
  Slot AddActivation(const Slot& input, std::vector<PiecewiseLinear> functions);
  Slot AddSum(const Slot& left, const Slot& right, float sign);
  // Makes `to` of the elements of `from` that the table names.
  void Move(ValueId from, ValueId to, IndexTable table);

  // One input of a concatenation and where its elements go in the result.
  struct Part {
    ValueId from = kNoValue;
    IndexTable to;
  };
  absl::Status Concat(const Node& node, const std::vector<Part>& parts,
                      ValueId to);

  // --- Integers. Errors: UNIMPLEMENTED, naming `node` ---
  // Of floats, which must be elements of the inputs.
  absl::Status FloatsToIntegers(const Node& node);
  absl::Status IntegersToIntegers(const Node& node);
  void IntegersToFloats(const Node& node);
  // Add, Sub and Mul with constants that are 1 or as many as the elements.
  absl::Status IntegerArithmetic(const Node& node);
  // Gather from a constant table.
  absl::Status Lookup(const Node& node);

  // The network as far as `output`. The builder is empty afterwards.
  // UNIMPLEMENTED if no operation has made floats of `output`.
  absl::StatusOr<PiecewiseNetwork> Finish(ValueId output);

 private:
  Slot NewSlot(std::size_t size);

  const Graph& graph_;
  PiecewiseNetwork network_;
  std::map<ValueId, Slot> slots_;
  std::map<ValueId, std::vector<IntegerSource>> integers_;
  // Of floats that are elements of the inputs: which.
  std::map<ValueId, std::vector<std::size_t>> origins_;
};

}  // namespace relu

#endif  // CORE_RELU_NETWORK_BUILDER_H_
