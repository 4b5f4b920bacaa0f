#include "core/plan/interpret_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/interpreter.h"
#include "core/graph/row_samples.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// A value of the graph and the buffer that holds it.
struct Place {
  ValueType type;  // As the graph has it.
  DataType stored = DataType::kFp32;
  std::size_t buffer = 0;
  std::size_t row_bytes = 0;  // As stored.

  bool has_rows() const {
    return std::ranges::find(type.shape, kBatchDim) != type.shape.end();
  }
};

// Copies between a tensor, whose rows lie one after the other, and a buffer.
Tensor LoadRows(const Place& place, RowRange rows, Workspace& workspace) {
  Tensor stored(place.stored, WithRows(place.type.shape, rows.size()));
  const std::int64_t count = place.has_rows() ? rows.size() : 1;
  for (std::int64_t i = 0; i < count && place.row_bytes > 0; ++i) {
    std::memcpy(
        stored.bytes().data() + static_cast<std::size_t>(i) * place.row_bytes,
        workspace.Row<const std::byte>(place.buffer, rows.begin + i),
        place.row_bytes);
  }
  return place.stored == place.type.type
             ? std::move(stored)
             : FromDoubles(place.type.type, stored.shape(), ToDoubles(stored));
}

void StoreRows(const Tensor& tensor, const Place& place, RowRange rows,
               Workspace& workspace) {
  const Tensor stored =
      place.stored == tensor.type()
          ? tensor.Clone()
          : FromDoubles(place.stored, tensor.shape(), ToDoubles(tensor));
  const std::int64_t count = place.has_rows() ? rows.size() : 1;
  for (std::int64_t i = 0; i < count && place.row_bytes > 0; ++i) {
    std::memcpy(
        workspace.Row<std::byte>(place.buffer, rows.begin + i),
        stored.bytes().data() + static_cast<std::size_t>(i) * place.row_bytes,
        place.row_bytes);
  }
}

// One input of a node: a constant, a buffer, or left out.
struct NodeOperand {
  std::shared_ptr<const Tensor> constant;
  Place place;
  bool is_left_out = false;
};

class InterpretNodeStep : public Step {
 public:
  InterpretNodeStep(const Node& node, std::vector<NodeOperand> operands,
                    std::vector<Place> outputs)
      : node_(node),
        operands_(std::move(operands)),
        outputs_(std::move(outputs)),
        no_value_(fmt::format("{}: has no value for these operands, such as an "
                              "index outside of its dimension or an integer "
                              "divided by zero",
                              NodeText(node))) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    if (RunRows(rows, workspace)) {
      return;
    }
    // Row by row, to find those that are at fault.
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const RowRange one{.begin = row, .end = row + 1};
      if (!RunRows(one, workspace)) {
        for (const Place& output : outputs_) {
          StoreRows(Tensor(output.type.type, WithRows(output.type.shape, 1)),
                    output, one, workspace);
        }
        workspace.SetFault(row, no_value_);
      }
    }
  }

  std::string Describe() const override {
    return fmt::format("interpret {}", OperatorName(node_.op));
  }

  std::size_t constant_bytes() const override {
    std::size_t total_bytes = 0;
    for (const NodeOperand& operand : operands_) {
      total_bytes += operand.constant ? operand.constant->bytes().size() : 0;
    }
    return total_bytes;
  }

 private:
  // False if there is no value.
  bool RunRows(RowRange rows, Workspace& workspace) const {
    std::vector<Tensor> loaded(operands_.size());
    std::vector<const Tensor*> inputs;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      const NodeOperand& operand = operands_[i];
      if (!operand.constant && !operand.is_left_out) {
        loaded[i] = LoadRows(operand.place, rows, workspace);
      }
      inputs.push_back(operand.is_left_out ? nullptr
                       : operand.constant  ? operand.constant.get()
                                           : &loaded[i]);
    }
    OutputTypes results;
    for (const Place& output : outputs_) {
      results.push_back(
          {output.type.type, WithRows(output.type.shape, rows.size())});
    }
    const auto tensors = EvaluateNode(node_, results, inputs);
    if (!tensors.ok()) {
      return false;
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      StoreRows((*tensors)[i], outputs_[i], rows, workspace);
    }
    return true;
  }

  Node node_;
  std::vector<NodeOperand> operands_;
  std::vector<Place> outputs_;
  std::string no_value_;
};

class InterpretGraphStep : public Step {
 public:
  InterpretGraphStep(Graph graph, std::vector<Place> inputs,
                     std::vector<Place> outputs)
      : graph_(std::move(graph)),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    std::vector<Tensor> inputs;
    for (const Place& input : inputs_) {
      inputs.push_back(LoadRows(input, rows, workspace));
    }
    const auto outputs = Interpret(graph_, inputs);
    if (!outputs.ok()) {
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        workspace.SetFault(row, no_value_);
      }
      return;
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      StoreRows((*outputs)[i], outputs_[i], rows, workspace);
    }
  }

  std::string Describe() const override {
    return fmt::format("interpret {} nodes, whose rows depend on each other",
                       graph_.nodes.size());
  }

  std::size_t constant_bytes() const override {
    std::size_t total_bytes = 0;
    for (const auto& constant : graph_.constants) {
      total_bytes += constant->bytes().size();
    }
    return total_bytes;
  }

 private:
  Graph graph_;
  std::vector<Place> inputs_;
  std::vector<Place> outputs_;
  std::string no_value_ =
      "the graph has no value for these inputs: an index is outside of its "
      "dimension, or an integer is divided by zero";
};

// Where a step of one node finds `id`: in its storage type.
Place PlaceOf(ValueId id, std::size_t buffer, PlanBuilder& plan) {
  const Value& value = plan.value(id);
  return {.type = {value.type, value.shape},
          .stored = StorageType(value.type),
          .buffer = buffer,
          .row_bytes = RowBytes(value)};
}

// Where the step of a whole graph finds an input or output: in its own type.
std::vector<Place> PlacesOf(const std::vector<ValueId>& ids,
                            const std::vector<std::size_t>& buffers,
                            PlanBuilder& plan) {
  std::vector<Place> places;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Value& value = plan.value(ids[i]);
    places.push_back({.type = {value.type, value.shape},
                      .stored = value.type,
                      .buffer = buffers[i],
                      .row_bytes = plan.layout(buffers[i]).row_bytes});
  }
  return places;
}

std::shared_ptr<const Tensor> FindConstant(const Graph& graph,
                                           const Tensor* constant) {
  const auto found = std::ranges::find(
      graph.constants, constant, [](const auto& owner) { return owner.get(); });
  return *found;
}

}  // namespace

void LowerByInterpreter(const Node& node, PlanBuilder& plan) {
  std::vector<NodeOperand> operands;
  std::vector<std::size_t> buffers;
  for (const ValueId id : node.inputs) {
    NodeOperand& operand = operands.emplace_back();
    if (id == kNoValue) {
      operand.is_left_out = true;
    } else if (plan.value(id).constant != nullptr) {
      operand.constant = FindConstant(plan.graph(), plan.value(id).constant);
    } else {
      buffers.push_back(plan.BufferOf(id));
      operand.place = PlaceOf(id, buffers.back(), plan);
    }
  }
  std::vector<Place> outputs;
  for (const ValueId id : node.outputs) {
    buffers.push_back(plan.Define(id));
    outputs.push_back(PlaceOf(id, buffers.back(), plan));
  }
  plan.AddStep(std::make_unique<InterpretNodeStep>(node, std::move(operands),
                                                   std::move(outputs)),
               buffers);
}

void LowerGraphByInterpreter(const std::vector<std::size_t>& inputs,
                             const std::vector<std::size_t>& outputs,
                             PlanBuilder& plan) {
  const Graph& graph = plan.graph();
  std::vector<std::size_t> buffers = inputs;
  buffers.insert(buffers.end(), outputs.begin(), outputs.end());
  plan.AddStep(std::make_unique<InterpretGraphStep>(
                   graph, PlacesOf(graph.inputs, inputs, plan),
                   PlacesOf(graph.outputs, outputs, plan)),
               buffers);
}

}  // namespace relu
