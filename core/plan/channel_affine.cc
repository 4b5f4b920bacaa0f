#include "core/plan/channel_affine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/plan/storage.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// Weights times a scale inside of these limits stay normal numbers, unless they
// are such that no trained network has them.
constexpr double kMostScale = 0x1p40;

bool IsUsable(const ChannelAffine& affine) {
  const auto good_scale = [](double scale) {
    const double size = std::abs(scale);
    return size == 0.0 || (size <= kMostScale && size >= 1.0 / kMostScale);
  };
  return std::ranges::all_of(affine.scale, good_scale) &&
         std::ranges::all_of(affine.shift, [](double shift) {
           return std::isfinite(static_cast<float>(shift));
         });
}

// The values of a constant for each feature of `like`; an empty vector if they
// are not the same for every vector of features.
std::vector<double> FeaturesOf(const Node& node, const Tensor& constant,
                               const Value& like) {
  const absl::StatusOr<Tensor> row = ExpandConstant(node, constant, like);
  if (!row.ok() || row->type() != DataType::kFp32) {
    return {};
  }
  const std::span<const float> floats = row->As<float>();
  const auto count = static_cast<std::size_t>(like.shape.back());
  for (std::size_t i = count; i < floats.size(); ++i) {
    if (floats[i] != floats[i - count]) {
      return {};
    }
  }
  return {floats.begin(), floats.begin() + static_cast<std::ptrdiff_t>(count)};
}

// Of x + c, x - c, c - x, x * c and x / c.
ChannelAffine AffineOfArithmetic(Operator op, bool x_is_first,
                                 const std::vector<double>& constants) {
  ChannelAffine affine;
  for (const double c : constants) {
    switch (op) {
      case Operator::kMul:
        affine.scale.push_back(c);
        affine.shift.push_back(0.0);
        break;
      case Operator::kDiv:
        affine.scale.push_back(1.0 / c);
        affine.shift.push_back(0.0);
        break;
      case Operator::kSub:
        affine.scale.push_back(x_is_first ? 1.0 : -1.0);
        affine.shift.push_back(x_is_first ? -c : c);
        break;
      default:
        affine.scale.push_back(1.0);
        affine.shift.push_back(c);
    }
  }
  return affine;
}

}  // namespace

absl::StatusOr<ChannelAffine> ReadBatchNormalization(const Graph& graph,
                                                     const Node& node) {
  std::array<std::vector<double>, 4> parameters;  // Scale, B, mean, variance.
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Value& value = graph.values[node.inputs[i + 1]];
    if (value.constant == nullptr) {
      return absl::UnimplementedError(
          fmt::format("{}: parameter \"{}\" must be a constant", NodeText(node),
                      value.name));
    }
    parameters[i] = ToDoubles(*value.constant);
  }
  const auto& [factors, offsets, means, variances] = parameters;
  const auto epsilon = static_cast<double>(FloatAttribute(node, "epsilon"));
  ChannelAffine affine;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double scale = factors[i] / std::sqrt(variances[i] + epsilon);
    const double shift = offsets[i] - means[i] * scale;
    if (!std::isfinite(static_cast<float>(scale)) ||
        !std::isfinite(static_cast<float>(shift))) {
      return absl::InvalidArgumentError(fmt::format(
          "{}: channel {} has variance {} and scale {}, which make no finite "
          "factor",
          NodeText(node), i, variances[i], factors[i]));
    }
    affine.scale.push_back(scale);
    affine.shift.push_back(shift);
  }
  return affine;
}

std::optional<ChannelAffine> AffineOfFeatures(const Graph& graph,
                                              const Node& node,
                                              ValueId through) {
  const Value& value = graph.values[through];
  const Value& result = graph.values[node.outputs[0]];
  if (value.shape != result.shape || !value.is_batched() ||
      value.shape.size() < 2 || RowElements(value) == 0) {
    return std::nullopt;
  }
  if (node.op == Operator::kBatchNormalization) {
    absl::StatusOr<ChannelAffine> affine = ReadBatchNormalization(graph, node);
    const bool fits = affine.ok() && node.inputs[0] == through &&
                      value.shape.size() == 2 && IsUsable(*affine);
    return fits ? std::optional(*std::move(affine)) : std::nullopt;
  }
  if (node.op != Operator::kAdd && node.op != Operator::kSub &&
      node.op != Operator::kMul && node.op != Operator::kDiv) {
    return std::nullopt;
  }
  const bool x_is_first = node.inputs[0] == through;
  const Value& other = graph.values[node.inputs[x_is_first ? 1 : 0]];
  if (other.constant == nullptr || (node.op == Operator::kDiv && !x_is_first)) {
    return std::nullopt;
  }
  const std::vector<double> constants =
      FeaturesOf(node, *other.constant, value);
  ChannelAffine affine = AffineOfArithmetic(node.op, x_is_first, constants);
  return !constants.empty() && IsUsable(affine)
             ? std::optional(std::move(affine))
             : std::nullopt;
}

}  // namespace relu
