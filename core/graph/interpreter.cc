#include "core/graph/interpreter.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/graph/evaluation.h"
#include "core/graph/row_samples.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Whether `found` is `wanted` with the rows counted. The first batch dimension
// that is met sets `rows`.
bool Matches(const Shape& found, const Shape& wanted,
             std::optional<std::int64_t>& rows) {
  if (found.size() != wanted.size()) {
    return false;
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (wanted[i] == kBatchDim && !rows && found[i] >= 1) {
      rows = found[i];
    }
    if (found[i] != (wanted[i] == kBatchDim ? rows.value_or(-1) : wanted[i])) {
      return false;
    }
  }
  return true;
}

// The number of rows; 1 if there is no batch dimension.
absl::StatusOr<std::int64_t> CheckInputs(const Graph& graph,
                                         std::span<const Tensor> inputs) {
  CHECK(inputs.size() == graph.inputs.size());
  std::optional<std::int64_t> rows;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Value& value = graph.values[graph.inputs[i]];
    if (inputs[i].type() != value.type ||
        !Matches(inputs[i].shape(), value.shape, rows)) {
      return absl::InvalidArgumentError(fmt::format(
          "input \"{}\": {} {}, wanted {} {} with one number of rows",
          value.name, DataTypeName(inputs[i].type()),
          ShapeText(inputs[i].shape()), DataTypeName(value.type),
          ShapeText(value.shape)));
    }
  }
  return rows.value_or(1);
}

// The last node that reads each value; of outputs of the graph, the one after
// the last.
std::vector<std::size_t> LastReaders(const Graph& graph) {
  std::vector<std::size_t> last(graph.values.size(), 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId input : graph.nodes[i].inputs) {
      if (input != kNoValue) {
        last[input] = i;
      }
    }
  }
  for (const ValueId output : graph.outputs) {
    last[output] = graph.nodes.size();
  }
  return last;
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> EvaluateNode(
    const Node& node, std::span<const ValueType> results,
    std::span<const Tensor* const> inputs) {
  std::vector<Tensor> outputs(results.size());
  RETURN_IF_ERROR(DefinitionOf(node.op).evaluate({.node = node,
                                                  .results = results,
                                                  .inputs = inputs,
                                                  .outputs = outputs}));
  return outputs;
}

absl::StatusOr<std::vector<Tensor>> Interpret(const Graph& graph,
                                              std::span<const Tensor> inputs) {
  ASSIGN_OR_RETURN(const std::int64_t rows, CheckInputs(graph, inputs));
  std::vector<const Tensor*> values(graph.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = graph.values[i].constant;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values[graph.inputs[i]] = &inputs[i];
  }
  const std::vector<std::size_t> last_readers = LastReaders(graph);
  std::vector<std::optional<Tensor>> computed(graph.values.size());
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    const Node& node = graph.nodes[index];
    std::vector<const Tensor*> operands;
    for (const ValueId input : node.inputs) {
      operands.push_back(input == kNoValue ? nullptr : values[input]);
    }
    OutputTypes results;
    for (const ValueId output : node.outputs) {
      const Value& value = graph.values[output];
      results.push_back({value.type, WithRows(value.shape, rows)});
    }
    ASSIGN_OR_RETURN(std::vector<Tensor> tensors,
                     EvaluateNode(node, results, operands));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const ValueId output = node.outputs[i];
      computed[output] = std::move(tensors[i]);
      values[output] = &*computed[output];
    }
    // What nobody reads any more.
    for (const std::vector<ValueId>* ids : {&node.inputs, &node.outputs}) {
      for (const ValueId id : *ids) {
        if (id != kNoValue && last_readers[id] <= index) {
          computed[id].reset();
        }
      }
    }
  }
  std::vector<Tensor> outputs;
  for (const ValueId output : graph.outputs) {
    outputs.push_back(values[output]->Clone());
  }
  return outputs;
}

}  // namespace relu
