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
#include "core/graph/evaluate_compute.h"
#include "core/graph/evaluate_layout.h"
#include "core/graph/evaluation.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// The shape of a batched value with its rows counted.
Shape WithRows(const Value& value, std::int64_t rows) {
  Shape shape = value.shape;
  shape[0] = rows;
  return shape;
}

absl::Status CheckInputs(const Graph& graph, std::span<const Tensor> inputs) {
  CHECK(inputs.size() == graph.inputs.size());
  const Shape& first = inputs[0].shape();
  const std::int64_t rows = first.empty() ? 0 : first[0];
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Value& value = graph.values[graph.inputs[i]];
    if (rows < 1 || inputs[i].type() != value.type ||
        inputs[i].shape() != WithRows(value, rows)) {
      return absl::InvalidArgumentError(fmt::format(
          "input \"{}\": {} {}, wanted {} {} with one number of rows",
          value.name, DataTypeName(inputs[i].type()),
          ShapeText(inputs[i].shape()), DataTypeName(value.type),
          ShapeText(value.shape)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Tensor> EvaluateOne(const Node& node, const ValueType& result,
                                   std::span<const Tensor* const> inputs) {
  const Evaluation run{.node = node, .result = result, .inputs = inputs};
  switch (node.op) {
    case Operator::kAdd:
    case Operator::kDiv:
    case Operator::kMul:
    case Operator::kSub:
      return EvaluateArithmetic(run);
    case Operator::kRelu:
    case Operator::kSigmoid:
    case Operator::kTanh:
      return EvaluateActivation(run);
    case Operator::kArgMax:
      return EvaluateArgMax(run);
    case Operator::kCast:
      return EvaluateCast(run);
    case Operator::kConcat:
      return EvaluateConcat(run);
    case Operator::kFlatten:
    case Operator::kReshape:
      return EvaluateReshape(run);
    case Operator::kGather:
      return EvaluateGather(run);
    case Operator::kGemm:
      return EvaluateGemm(run);
    case Operator::kMatMul:
      return EvaluateMatMul(run);
    case Operator::kSoftmax:
      return EvaluateSoftmax(run);
    case Operator::kTranspose:
      return EvaluateTranspose(run);
    default:
      break;
  }
  return absl::UnimplementedError(
      fmt::format("{}: the operator is not supported", NodeText(node)));
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> EvaluateNode(
    const Node& node, std::span<const ValueType> results,
    std::span<const Tensor* const> inputs) {
  std::vector<Tensor> outputs;
  ASSIGN_OR_RETURN(Tensor output, EvaluateOne(node, results[0], inputs));
  outputs.push_back(std::move(output));
  return outputs;
}

absl::StatusOr<std::vector<Tensor>> Interpret(const Graph& graph,
                                              std::span<const Tensor> inputs) {
  RETURN_IF_ERROR(CheckInputs(graph, inputs));
  std::vector<const Tensor*> values(graph.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = graph.values[i].constant;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values[graph.inputs[i]] = &inputs[i];
  }
  std::vector<std::optional<Tensor>> computed(graph.values.size());
  for (const Node& node : graph.nodes) {
    std::vector<const Tensor*> operands;
    for (const ValueId input : node.inputs) {
      operands.push_back(input == kNoValue ? nullptr : values[input]);
    }
    std::vector<ValueType> results;
    for (const ValueId output : node.outputs) {
      const Value& value = graph.values[output];
      results.push_back({value.type, WithRows(value, inputs[0].shape()[0])});
    }
    ASSIGN_OR_RETURN(std::vector<Tensor> tensors,
                     EvaluateNode(node, results, operands));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const ValueId output = node.outputs[i];
      computed[output] = std::move(tensors[i]);
      values[output] = &*computed[output];
    }
  }
  std::vector<Tensor> outputs;
  for (const ValueId output : graph.outputs) {
    outputs.push_back(values[output]->Clone());
  }
  return outputs;
}

}  // namespace relu
