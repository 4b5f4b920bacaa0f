#include "core/plan/dense_layer.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/graph_uses.h"
#include "core/plan/storage.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

std::vector<float> ToFloats(const Tensor& constant) {
  // Weights are large: those that are FP32 already are copied only once.
  const bool is_float = constant.type() == DataType::kFp32;
  const Tensor stored = is_float ? Tensor() : ToStorage(constant);
  const std::span<const float> floats =
      (is_float ? constant : stored).As<float>();
  return {floats.begin(), floats.end()};
}

// From row-major [rows, columns] to row-major [columns, rows].
std::vector<float> Transposed(std::span<const float> matrix, std::size_t rows,
                              std::size_t columns) {
  std::vector<float> transposed(matrix.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      transposed[j * rows + i] = matrix[i * columns + j];
    }
  }
  return transposed;
}

// Multiplies by an attribute of the Gemm, each product rounded once.
absl::Status Scale(const Node& node, std::string_view attribute,
                   std::vector<float>& floats) {
  const float factor = FloatAttribute(node, attribute);
  if (factor == 1.0F) {
    return absl::OkStatus();
  }
  for (float& value : floats) {
    value *= factor;
    if (!std::isfinite(value)) {
      return absl::InvalidArgumentError(
          fmt::format("{}: a constant times {} ({}) is {}, not a finite number",
                      NodeText(node), attribute, factor, value));
    }
  }
  return absl::OkStatus();
}

// The values that a constant adds to each vector of the layer's output; an
// empty vector if it does not add the same to each.
std::vector<float> BiasFrom(const Tensor& row, const DenseLayer& layer) {
  const std::span<const float> floats = row.As<float>();
  std::vector<float> bias(
      floats.begin(), floats.begin() + static_cast<std::ptrdiff_t>(layer.n));
  for (std::size_t i = layer.n; i < floats.size(); ++i) {
    if (floats[i] != bias[i % layer.n]) {
      return {};
    }
  }
  return bias;
}

absl::StatusOr<DenseLayer> ReadGemm(const Graph& graph, const Node& node) {
  const Value& a = graph.values[node.inputs[0]];
  const Value& b = graph.values[node.inputs[1]];
  const Value* c = node.inputs.size() > 2 && node.inputs[2] != kNoValue
                       ? &graph.values[node.inputs[2]]
                       : nullptr;
  if (!a.is_batched() || IntAttribute(node, "transA") != 0 ||
      b.constant == nullptr) {
    return absl::UnimplementedError(fmt::format(
        "{}: only Gemm(x, constant weights) with transA = 0 is supported; "
        "export the layer that way",
        NodeText(node)));
  }
  if (c != nullptr && c->constant == nullptr) {
    return absl::UnimplementedError(fmt::format(
        "{}: input C \"{}\" must be a constant; use an Add node after the Gemm",
        NodeText(node), c->name));
  }
  RETURN_IF_ERROR(RequireFloat(node, a));
  const bool transposed = IntAttribute(node, "transB") != 0;
  const auto rows = static_cast<std::size_t>(b.shape[0]);
  const auto columns = static_cast<std::size_t>(b.shape[1]);
  DenseLayer layer;
  layer.input = node.inputs[0];
  layer.output = node.outputs[0];
  layer.k = transposed ? columns : rows;
  layer.n = transposed ? rows : columns;
  layer.weights = ToFloats(*b.constant);
  if (transposed) {
    layer.weights = Transposed(layer.weights, rows, columns);
  }
  RETURN_IF_ERROR(Scale(node, "alpha", layer.weights));
  if (c != nullptr) {
    ASSIGN_OR_RETURN(
        const Tensor row,
        ExpandConstant(node, *c->constant, graph.values[node.outputs[0]]));
    layer.bias = BiasFrom(row, layer);
    RETURN_IF_ERROR(Scale(node, "beta", layer.bias));
  }
  return layer;
}

// How many vectors of k values a row of x[N, ..., k] has.
std::size_t VectorsPerRow(const Value& x) {
  const std::span<const std::int64_t> shape = RowShape(x);
  const auto outside = shape.first(shape.size() - 1);
  return static_cast<std::size_t>(std::accumulate(
      outside.begin(), outside.end(), std::int64_t{1}, std::multiplies<>()));
}

absl::StatusOr<DenseLayer> ReadMatMul(const Graph& graph, const Node& node) {
  const Value& x = graph.values[node.inputs[0]];
  const Value& weights = graph.values[node.inputs[1]];
  if (!x.is_batched() || x.shape.size() < 2 || weights.constant == nullptr ||
      weights.shape.size() != 2) {
    return absl::UnimplementedError(fmt::format(
        "{}: \"{}\" {} times \"{}\" {} is not supported; only x[-1,...,k] "
        "times a constant [k,n] is: export the layer that way",
        NodeText(node), x.name, ShapeText(x.shape), weights.name,
        ShapeText(weights.shape)));
  }
  RETURN_IF_ERROR(RequireFloat(node, x));
  DenseLayer layer;
  layer.input = node.inputs[0];
  layer.output = node.outputs[0];
  layer.k = static_cast<std::size_t>(weights.shape[0]);
  layer.n = static_cast<std::size_t>(weights.shape[1]);
  layer.vectors_per_row = VectorsPerRow(x);
  layer.weights = ToFloats(*weights.constant);
  return layer;
}

void FuseBias(const Graph& graph, const GraphUses& uses, DenseLayer& layer) {
  const std::optional<std::size_t> next = uses.OnlyConsumer(layer.output);
  if (!next.has_value() || graph.nodes[*next].op != Operator::kAdd) {
    return;
  }
  const Node& add = graph.nodes[*next];
  const bool is_first = add.inputs[0] == layer.output;
  const Value& other = graph.values[add.inputs[is_first ? 1 : 0]];
  const Value& sum = graph.values[add.outputs[0]];
  if (other.constant == nullptr ||
      sum.shape != graph.values[layer.output].shape) {
    return;
  }
  const absl::StatusOr<Tensor> row = ExpandConstant(add, *other.constant, sum);
  if (!row.ok()) {
    return;  // Left to the Add itself, which says what is wrong.
  }
  layer.bias = BiasFrom(*row, layer);
  if (!layer.bias.empty()) {
    layer.output = add.outputs[0];
    layer.nodes.push_back(*next);
  }
}

void FuseRelu(const Graph& graph, const GraphUses& uses, DenseLayer& layer) {
  const std::optional<std::size_t> next = uses.OnlyConsumer(layer.output);
  if (next.has_value() && graph.nodes[*next].op == Operator::kRelu) {
    layer.activation = kernels::Activation::kRelu;
    layer.output = graph.nodes[*next].outputs[0];
    layer.nodes.push_back(*next);
  }
}

}  // namespace

absl::StatusOr<DenseLayer> ReadDenseLayer(const Graph& graph,
                                          const GraphUses& uses,
                                          std::size_t node) {
  const Node& product = graph.nodes[node];
  ASSIGN_OR_RETURN(DenseLayer layer, product.op == Operator::kGemm
                                         ? ReadGemm(graph, product)
                                         : ReadMatMul(graph, product));
  layer.nodes.push_back(node);
  if (layer.bias.empty()) {
    FuseBias(graph, uses, layer);
  }
  if (layer.bias.empty()) {
    layer.bias.assign(layer.n, 0.0F);
  }
  FuseRelu(graph, uses, layer);
  return layer;
}

}  // namespace relu
