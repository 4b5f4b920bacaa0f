#include "core/relu/network_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/aligned_buffer.h"
#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/plan/dense_layer.h"
#include "core/plan/index_table.h"
#include "core/plan/storage.h"
#include "core/relu/integer_source.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

constexpr std::size_t kSlotFloats = kBufferAlignment / sizeof(float);

// The elements of `values` that the table names, if there are such values.
template <typename T>
void MoveElements(std::map<ValueId, std::vector<T>>& values, ValueId from,
                  ValueId to, const IndexTable& table) {
  const auto found = values.find(from);
  if (found == values.end()) {
    return;
  }
  std::vector<T> moved;
  for (const std::uint32_t i : table) {
    moved.push_back(found->second[i]);
  }
  values[to] = std::move(moved);
}

Slot OutputOf(const Op& any) {
  return std::visit([](const auto& op) { return op.output; }, any);
}

// Says of each layer whether something else reads its input later.
void FindLastReaders(PiecewiseNetwork& network) {
  std::vector<Op>& ops = network.ops;
  std::map<std::size_t, std::size_t> last;  // By where a slot begins.
  for (std::size_t i = 0; i < ops.size(); ++i) {
    for (const Slot& slot : InputsOf(ops[i])) {
      last[slot.offset] = i;
    }
  }
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (auto* const dense = std::get_if<DenseOp>(&ops[i])) {
      dense->last_reader = last[dense->input.offset] == i;
      network.shares_inputs = network.shares_inputs || !dense->last_reader;
    }
  }
}

}  // namespace

absl::Status RefuseToExplain(const Node& node, std::string_view why) {
  return absl::UnimplementedError(fmt::format(
      "{}: {}, so what comes of it has no exact linear explanation; explain "
      "another output, or export the model without it",
      NodeText(node), why));
}

NetworkBuilder::NetworkBuilder(const Graph& graph) : graph_(graph) {
  for (const ValueId id : graph.inputs) {
    const Value& input = value(id);
    const auto shape = RowShape(input);
    const std::size_t first = network_.input_elements;
    const std::size_t size = RowElements(input);
    network_.inputs.push_back({.name = input.name,
                               .type = input.type,
                               .row_shape = {shape.begin(), shape.end()},
                               .first_element = first,
                               .elements = size});
    network_.input_elements += size;
    std::vector<std::size_t> elements(size);
    std::iota(elements.begin(), elements.end(), first);
    if (!IsFloatingPoint(input.type)) {
      std::vector<IntegerSource>& sources = integers_[id];
      for (const std::size_t element : elements) {
        sources.push_back(ElementSource(element, input.type));
      }
      continue;
    }
    Leaf& leaf = network_.leaves.emplace_back();
    leaf.slot = Define(id);
    leaf.first_element = first;
    origins_[id] = std::move(elements);
  }
}

Slot NetworkBuilder::NewSlot(std::size_t size) {
  const Slot slot{.offset = network_.row_floats, .size = size};
  network_.row_floats += RoundUp(size, kSlotFloats);
  return slot;
}

Slot NetworkBuilder::Define(ValueId id) {
  const Slot slot = NewSlot(RowElements(value(id)));
  Place(id, slot);
  return slot;
}

absl::StatusOr<Slot> NetworkBuilder::Floats(const Node& node,
                                            ValueId id) const {
  const auto slot = slots_.find(id);
  if (slot == slots_.end()) {
    return absl::UnimplementedError(fmt::format(
        "{}: it reads \"{}\" ({}), explained are only values that are computed "
        "as floats",
        NodeText(node), value(id).name, DataTypeName(value(id).type)));
  }
  return slot->second;
}

absl::StatusOr<Slot> NetworkBuilder::FloatsLike(const Node& node, ValueId id,
                                                const Value& like) {
  ASSIGN_OR_RETURN(const Slot slot, Floats(node, id));
  if (value(id).shape == like.shape) {
    return slot;
  }
  std::optional<IndexTable> table;
  if (value(id).shape.size() == like.shape.size()) {
    table = BroadcastTable(RowShape(value(id)), RowShape(like));
  }
  if (!table.has_value()) {
    return absl::UnimplementedError(fmt::format(
        "{}: \"{}\" {} is not broadcast to {} row by row", NodeText(node),
        value(id).name, ShapeText(value(id).shape), ShapeText(like.shape)));
  }
  const Slot wide = NewSlot(table->size());
  network_.ops.emplace_back(MoveOp{
      .input = slot, .output = wide, .from = *std::move(table), .to = {}});
  return wide;
}

void NetworkBuilder::Alias(ValueId id, ValueId of) {
  const auto copy = [&](auto& values) {
    const auto found = values.find(of);
    if (found != values.end()) {
      auto same = found->second;
      values[id] = std::move(same);
    }
  };
  copy(slots_);
  copy(integers_);
  copy(origins_);
}

void NetworkBuilder::AddLayer(const DenseLayer& layer, const Slot& input,
                              const Slot& output) {
  network_.multiply_adds += layer.k * layer.n * layer.vectors_per_row;
  DenseOp op(layer, input, output);
  op.node = graph_.nodes[layer.product].name;
  if (op.skips_zeros()) {
    network_.most_sparse = std::max({network_.most_sparse, layer.k, layer.n});
  }
  network_.ops.emplace_back(std::move(op));
}

Slot NetworkBuilder::AddArithmetic(ArithmeticOp::Kind kind, const Slot& input,
                                   std::vector<float> constants) {
  const Slot output = NewSlot(input.size);
  network_.ops.emplace_back(ArithmeticOp{.kind = kind,
                                         .input = input,
                                         .output = output,
                                         .constants = std::move(constants)});
  return output;
}

Slot NetworkBuilder::AddActivation(const Slot& input,
                                   std::vector<PiecewiseLinear> functions) {
  ActivationOp op;
  op.input = input;
  op.output = NewSlot(input.size);
  op.functions = std::move(functions);
  for (std::size_t i = 0; i < network_.ops.size(); ++i) {
    if (std::holds_alternative<DenseOp>(network_.ops[i]) &&
        OutputOf(network_.ops[i]).offset == input.offset) {
      op.layer = i;
    }
  }
  const Slot output = op.output;
  network_.ops.emplace_back(std::move(op));
  return output;
}

Slot NetworkBuilder::AddSum(const Slot& left, const Slot& right, float sign) {
  const Slot output = NewSlot(left.size);
  network_.ops.emplace_back(
      SumOp{.left = left, .right = right, .output = output, .sign = sign});
  return output;
}

void NetworkBuilder::Move(ValueId from, ValueId to, IndexTable table) {
  MoveElements(integers_, from, to, table);
  MoveElements(origins_, from, to, table);
  const auto slot = slots_.find(from);
  if (slot != slots_.end()) {
    const Slot input = slot->second;
    network_.ops.emplace_back(MoveOp{.input = input,
                                     .output = Define(to),
                                     .from = std::move(table),
                                     .to = {}});
  }
}

absl::Status NetworkBuilder::Concat(const Node& node,
                                    const std::vector<Part>& parts,
                                    ValueId to) {
  const std::size_t size = RowElements(value(to));
  if (IsIntegers(parts.front().from)) {
    std::vector<IntegerSource> sources(size);
    for (const Part& part : parts) {
      const auto found = integers_.find(part.from);
      if (found == integers_.end()) {
        return Floats(node, part.from).status();
      }
      for (std::size_t i = 0; i < part.to.size(); ++i) {
        sources[part.to[i]] = found->second[i];
      }
    }
    integers_[to] = std::move(sources);
    return absl::OkStatus();
  }
  const Slot output = Define(to);
  std::vector<std::size_t> origins(size);
  bool copies = true;
  for (const Part& part : parts) {
    ASSIGN_OR_RETURN(const Slot input, Floats(node, part.from));
    network_.ops.emplace_back(
        MoveOp{.input = input, .output = output, .from = {}, .to = part.to});
    const auto found = origins_.find(part.from);
    copies = copies && found != origins_.end();
    for (std::size_t i = 0; copies && i < part.to.size(); ++i) {
      origins[part.to[i]] = found->second[i];
    }
  }
  if (copies) {
    origins_[to] = std::move(origins);
  }
  return absl::OkStatus();
}

absl::Status NetworkBuilder::FloatsToIntegers(const Node& node) {
  const auto found = origins_.find(node.inputs[0]);
  if (found == origins_.end()) {
    return absl::UnimplementedError(fmt::format(
        "{}: it makes integers of computed floats, which is a jump at each "
        "integer; explained are integers of elements of the inputs alone",
        NodeText(node)));
  }
  std::vector<IntegerSource> sources;
  for (const std::size_t element : found->second) {
    sources.push_back(ElementSource(element, value(node.outputs[0]).type));
    sources.back().is_float = true;
  }
  integers_[node.outputs[0]] = std::move(sources);
  return absl::OkStatus();
}

absl::Status NetworkBuilder::IntegersToIntegers(const Node& node) {
  std::vector<IntegerSource> sources = integers_.at(node.inputs[0]);
  for (IntegerSource& source : sources) {
    if (!CastTo(value(node.outputs[0]).type, source)) {
      return RefuseToExplain(
          node,
          "it makes a wider type of integers that may have wrapped around");
    }
  }
  integers_[node.outputs[0]] = std::move(sources);
  return absl::OkStatus();
}

void NetworkBuilder::IntegersToFloats(const Node& node) {
  Leaf leaf;
  leaf.kind = Leaf::Kind::kInteger;
  leaf.slot = Define(node.outputs[0]);
  leaf.sources = integers_.at(node.inputs[0]);
  network_.leaves.push_back(std::move(leaf));
}

absl::Status NetworkBuilder::IntegerArithmetic(const Node& node) {
  const std::size_t variable = IsIntegers(node.inputs[0]) ? 0 : 1;
  const Value& other = value(node.inputs[1 - variable]);
  const Value& result = value(node.outputs[0]);
  if (node.op == Operator::kDiv) {
    return RefuseToExplain(node, "it divides integers");
  }
  if (other.constant == nullptr ||
      value(node.inputs[variable]).shape != result.shape) {
    return absl::UnimplementedError(
        fmt::format("{}: of integers, only those with a constant are explained",
                    NodeText(node)));
  }
  ASSIGN_OR_RETURN(const Tensor row,
                   ExpandConstant(node, *other.constant, result));
  const std::vector<std::int64_t> constants = ToIntegers(row);
  std::vector<IntegerSource> sources = integers_.at(node.inputs[variable]);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (node.op == Operator::kMul) {
      Multiply(sources[i], constants[i]);
      continue;
    }
    const bool subtracts = node.op == Operator::kSub;
    if (subtracts) {  // c - x, or x - c as the opposite of it.
      Multiply(sources[i], -1);
    }
    Add(sources[i], constants[i]);
    if (subtracts && variable == 0) {
      Multiply(sources[i], -1);
    }
  }
  integers_[node.outputs[0]] = std::move(sources);
  return absl::OkStatus();
}

absl::Status NetworkBuilder::Lookup(const Node& node) {
  const Tensor& table = *value(node.inputs[0]).constant;
  if (IntAttribute(node, "axis") != 0 || !IsFloatingPoint(table.type()) ||
      table.element_count() == 0) {
    return absl::UnimplementedError(fmt::format(
        "{}: explained are tables of floats that are indexed by "
        "their first axis, this one is {} {}",
        NodeText(node), DataTypeName(table.type()), ShapeText(table.shape())));
  }
  Leaf leaf;
  leaf.kind = Leaf::Kind::kLookup;
  leaf.slot = Define(node.outputs[0]);
  leaf.sources = integers_.at(node.inputs[1]);
  leaf.table = ToStorage(table);
  leaf.node = NodeText(node);
  network_.leaves.push_back(std::move(leaf));
  return absl::OkStatus();
}

absl::StatusOr<PiecewiseNetwork> NetworkBuilder::Finish(ValueId output) {
  if (!slots_.contains(output)) {
    return absl::UnimplementedError(
        fmt::format("value \"{}\": it is a second output of its node, which "
                    "has no explanation; explain another output",
                    value(output).name));
  }
  const auto shape = RowShape(value(output));
  network_.output = slots_.at(output);
  network_.output_row_shape = {shape.begin(), shape.end()};
  network_.explained_name = value(output).name;
  FindLastReaders(network_);
  return std::move(network_);
}

}  // namespace relu
