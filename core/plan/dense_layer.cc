#include "core/plan/dense_layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/channel_affine.h"
#include "core/plan/graph_uses.h"
#include "core/plan/storage.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// A shift before a layer moves into its bias, where it meets what it cancels: a
// feature whose mean is many times its deviation would lose digits.
constexpr double kMostShiftBefore = 8.0;

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

bool HasBias(const Node& node) {
  return node.op == Operator::kGemm && node.inputs.size() > 2 &&
         node.inputs[2] != kNoValue;
}

// The values that C of a Gemm adds, times beta; zeros if there is none.
absl::StatusOr<std::vector<double>> ReadBias(const Graph& graph,
                                             const DenseLayer& layer) {
  const Node& node = graph.nodes[layer.product];
  if (!HasBias(node)) {
    return std::vector<double>(layer.n);
  }
  ASSIGN_OR_RETURN(const Tensor row,
                   ExpandConstant(node, *graph.values[node.inputs[2]].constant,
                                  graph.values[node.outputs[0]]));
  const std::span<const float> floats = row.As<float>();
  std::vector<double> bias(floats.begin(), floats.end());
  const auto beta = static_cast<double>(FloatAttribute(node, "beta"));
  for (double& value : bias) {
    value *= beta;
  }
  return bias;
}

absl::Status NotFinite(const Node& node) {
  return absl::InvalidArgumentError(
      fmt::format("{}: a weight or bias with all factors around it is not a "
                  "finite number",
                  NodeText(node)));
}

absl::Status CheckGemm(const Graph& graph, const Node& node) {
  const Value& a = graph.values[node.inputs[0]];
  const Value& b = graph.values[node.inputs[1]];
  if (!a.is_batched() || IntAttribute(node, "transA") != 0 ||
      b.constant == nullptr) {
    return absl::UnimplementedError(fmt::format(
        "{}: only Gemm(x, constant weights) with transA = 0 is supported; "
        "export the layer that way",
        NodeText(node)));
  }
  if (HasBias(node) && graph.values[node.inputs[2]].constant == nullptr) {
    return absl::UnimplementedError(fmt::format(
        "{}: input C \"{}\" must be a constant; use an Add node after the Gemm",
        NodeText(node), graph.values[node.inputs[2]].name));
  }
  return RequireFloat(node, a);
}

// How many vectors of k values a row of x[N, ..., k] has.
std::size_t VectorsPerRow(const Value& x) {
  const std::span<const std::int64_t> shape = RowShape(x);
  const auto outside = shape.first(shape.size() - 1);
  return static_cast<std::size_t>(std::accumulate(
      outside.begin(), outside.end(), std::int64_t{1}, std::multiplies<>()));
}

absl::Status CheckMatMul(const Graph& graph, const Node& node) {
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
  return RequireFloat(node, x);
}

bool IsTransposed(const Node& node) {
  return node.op == Operator::kGemm && IntAttribute(node, "transB") != 0;
}

absl::StatusOr<DenseLayer> FindProduct(const Graph& graph, std::size_t index) {
  const Node& node = graph.nodes[index];
  RETURN_IF_ERROR(node.op == Operator::kGemm ? CheckGemm(graph, node)
                                             : CheckMatMul(graph, node));
  const Shape& shape = graph.values[node.inputs[1]].shape;
  DenseLayer layer;
  layer.input = node.inputs[0];
  layer.output = node.outputs[0];
  layer.k = static_cast<std::size_t>(shape[IsTransposed(node) ? 1 : 0]);
  layer.n = static_cast<std::size_t>(shape[IsTransposed(node) ? 0 : 1]);
  layer.vectors_per_row = VectorsPerRow(graph.values[layer.input]);
  layer.nodes = {index};
  layer.product = index;
  return layer;
}

// `second` of the result of `first`.
ChannelAffine Composed(const ChannelAffine& first,
                       const ChannelAffine& second) {
  if (first.scale.empty()) {
    return second;
  }
  ChannelAffine both = first;
  for (std::size_t i = 0; i < both.scale.size(); ++i) {
    both.scale[i] = first.scale[i] * second.scale[i];
    both.shift[i] = first.shift[i] * second.scale[i] + second.shift[i];
  }
  return both;
}

// Takes in what alone uses the output, as long as it can.
void FuseAfter(const Graph& graph, const GraphUses& uses,
               const std::vector<bool>& has_taken, DenseLayer& layer) {
  for (;;) {
    const std::optional<std::size_t> next = uses.OnlyConsumer(layer.output);
    if (!next.has_value() || has_taken[*next]) {
      return;
    }
    const Node& node = graph.nodes[*next];
    if (node.op == Operator::kRelu) {
      layer.activation = kernels::Activation::kRelu;
      layer.output = node.outputs[0];
      layer.nodes.push_back(*next);
      return;
    }
    const auto affine = AffineOfFeatures(graph, node, layer.output);
    if (!affine.has_value()) {
      return;
    }
    layer.after = Composed(layer.after, *affine);
    layer.output = node.outputs[0];
    layer.nodes.push_back(*next);
  }
}

// Takes in what computes the input for this layer alone, as long as it can.
void FuseBefore(const Graph& graph, const GraphUses& uses,
                const std::vector<bool>& has_taken, DenseLayer& layer) {
  while (uses.OnlyConsumer(layer.input) == layer.nodes.front()) {
    const std::optional<std::size_t> previous = uses.Producer(layer.input);
    if (!previous.has_value() || has_taken[*previous]) {
      return;
    }
    const Node& node = graph.nodes[*previous];
    const auto is_batched = [&](ValueId id) {
      return id != kNoValue && graph.values[id].is_batched();
    };
    const auto operand = std::ranges::find_if(node.inputs, is_batched);
    if (operand == node.inputs.end()) {
      return;
    }
    const auto affine = AffineOfFeatures(graph, node, *operand);
    if (!affine.has_value()) {
      return;
    }
    ChannelAffine before =
        layer.before.scale.empty() ? *affine : Composed(*affine, layer.before);
    if (std::ranges::any_of(before.shift, [](double shift) {
          return std::abs(shift) > kMostShiftBefore;
        })) {
      return;
    }
    layer.before = std::move(before);
    layer.input = *operand;
    layer.nodes.insert(layer.nodes.begin(), *previous);
  }
}

// Weights as they are in the file, without the factors.
std::vector<float> PlainWeights(const Graph& graph, const DenseLayer& layer) {
  const Node& node = graph.nodes[layer.product];
  std::vector<float> weights = ToFloats(*graph.values[node.inputs[1]].constant);
  return IsTransposed(node) ? Transposed(weights, layer.n, layer.k) : weights;
}

bool ChangesNothing(const std::vector<double>& factors) {
  return std::ranges::all_of(factors,
                             [](double factor) { return factor == 1.0; });
}

// Adds what the shifts before the product make of it: weights times shifts.
void ShiftBias(const DenseLayer& layer, double alpha,
               std::vector<double>& bias) {
  for (std::size_t i = 0; i < layer.before.shift.size(); ++i) {
    const double shift = layer.before.shift[i] * alpha;
    const float* const weights = layer.weights.data() + i * layer.n;
    for (std::size_t j = 0; j < layer.n && shift != 0.0; ++j) {
      bias[j] += static_cast<double>(weights[j]) * shift;
    }
  }
}

// Multiplies each weight by the factors of its row and its column.
void ScaleWeights(double alpha, DenseLayer& layer) {
  std::vector<double> columns = layer.after.scale;
  columns.resize(layer.n, 1.0);  // If there are none.
  for (std::size_t i = 0; i < layer.k; ++i) {
    const double row =
        layer.before.scale.empty() ? alpha : alpha * layer.before.scale[i];
    for (std::size_t j = 0; j < layer.n; ++j) {
      float& weight = layer.weights[i * layer.n + j];
      weight =
          static_cast<float>(static_cast<double>(weight) * row * columns[j]);
    }
  }
}

// Brings `before`, `after` and alpha of a Gemm into weights and bias.
void ApplyFactors(const Node& node, DenseLayer& layer,
                  std::vector<double>& bias) {
  const double alpha = node.op == Operator::kGemm
                           ? static_cast<double>(FloatAttribute(node, "alpha"))
                           : 1.0;
  ShiftBias(layer, alpha, bias);
  for (std::size_t j = 0; j < layer.after.scale.size(); ++j) {
    bias[j] = bias[j] * layer.after.scale[j] + layer.after.shift[j];
  }
  if (alpha != 1.0 || !ChangesNothing(layer.before.scale) ||
      !ChangesNothing(layer.after.scale)) {
    ScaleWeights(alpha, layer);
  }
}

}  // namespace

absl::StatusOr<DenseLayer> FindDenseLayer(const Graph& graph,
                                          const GraphUses& uses,
                                          std::size_t node,
                                          const std::vector<bool>& has_taken) {
  ASSIGN_OR_RETURN(DenseLayer layer, FindProduct(graph, node));
  FuseAfter(graph, uses, has_taken, layer);
  FuseBefore(graph, uses, has_taken, layer);
  return layer;
}

absl::Status ReadWeights(const Graph& graph, DenseLayer& layer) {
  const Node& node = graph.nodes[layer.product];
  layer.weights = PlainWeights(graph, layer);
  ASSIGN_OR_RETURN(std::vector<double> bias, ReadBias(graph, layer));
  ApplyFactors(node, layer, bias);
  layer.bias.resize(layer.n);
  for (std::size_t j = 0; j < layer.n; ++j) {
    layer.bias[j] = static_cast<float>(bias[j]);
  }
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (!std::ranges::all_of(layer.weights, is_finite) ||
      !std::ranges::all_of(layer.bias, is_finite)) {
    return NotFinite(node);
  }
  return absl::OkStatus();
}

}  // namespace relu
