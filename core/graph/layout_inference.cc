#include "core/graph/layout_inference.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/inference_checks.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// The sizes that the batch dimension, if there is one, leaves.
std::span<const std::int64_t> SizesInside(const Value& value) {
  return std::span(value.shape).subspan(value.is_batched() ? 1 : 0);
}

// The target shape of a Reshape, as the node gives it.
absl::StatusOr<Shape> WantedShape(const InferenceContext& context) {
  const bool is_input = context.inputs.size() > 1 && context.inputs[1];
  if (!is_input && context.opset >= 5) {
    return Invalid(context, "has no shape to reshape to");
  }
  ASSIGN_OR_RETURN(const Shape wanted,
                   is_input ? ConstantIntegers(context, 1)
                            : IntsAttribute(context.node, "shape"));
  if (wanted.size() > kMaxRank) {
    return Unsupported(context,
                       fmt::format("a target shape of {} dimensions, the most "
                                   "is {}",
                                   wanted.size(), kMaxRank));
  }
  if (std::ranges::any_of(wanted, [](std::int64_t n) { return n < -1; }) ||
      std::ranges::count(wanted, -1) > 1) {
    return Invalid(context, fmt::format("target shape {}, wanted sizes and at "
                                        "most one -1",
                                        ShapeText(wanted)));
  }
  return wanted;
}

// Replaces zeros, which stand for the size of the input at the same place.
absl::Status CopySizes(const InferenceContext& context, Shape& wanted) {
  if (IntAttribute(context.node, "allowzero") != 0) {
    return absl::OkStatus();
  }
  const Value& input = *context.inputs[0];
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0 && i >= input.shape.size()) {
      return Invalid(context, fmt::format("target shape {} has a 0 where {} "
                                          "has no size",
                                          ShapeText(wanted), ValueText(input)));
    }
    wanted[i] = wanted[i] == 0 ? input.shape[i] : wanted[i];
  }
  return absl::OkStatus();
}

// Replaces a -1 so that the sizes multiply to `total`; false if they cannot.
bool FillOpenSize(std::span<std::int64_t> sizes, std::int64_t total) {
  const auto open = std::ranges::find(sizes, -1);
  if (open != sizes.end()) {
    *open = 1;
    const std::optional<std::int64_t> others = ElementCount(sizes);
    if (!others || *others == 0) {
      return false;
    }
    *open = total / *others;
  }
  return ElementCount(sizes) == total;
}

}  // namespace

absl::StatusOr<OutputTypes> InferFlatten(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  const std::size_t rank = input.shape.size();
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, rank, /*size=*/rank + 1));
  if (!input.is_batched()) {
    const std::span<const std::int64_t> sizes(input.shape);
    return OutputTypes{{input.type,
                        {ElementCount(sizes.first(axis)).value(),
                         ElementCount(sizes.subspan(axis)).value()}}};
  }
  const std::span<const std::int64_t> inside = SizesInside(input);
  if (axis == 0 || ElementCount(inside.first(axis - 1)) != 1) {
    return MixesRows(context);
  }
  return OutputTypes{{input.type, {kBatchDim, ElementCount(inside).value()}}};
}

absl::StatusOr<OutputTypes> InferReshape(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  ASSIGN_OR_RETURN(const Shape wanted, WantedShape(context));
  Shape shape = wanted;
  RETURN_IF_ERROR(CopySizes(context, shape));
  const std::int64_t total = ElementCount(SizesInside(input)).value();
  if (!input.is_batched()) {
    if (!FillOpenSize(shape, total)) {
      return Invalid(context, fmt::format("{} cannot have shape {}",
                                          ValueText(input), ShapeText(wanted)));
    }
    return OutputTypes{{input.type, shape}};
  }
  // A -1 in front is the batch if the rest takes a whole row.
  const bool keeps_batch =
      !shape.empty() &&
      (shape[0] == kBatchDim || shape[0] == context.fixed_rows) &&
      FillOpenSize(std::span(shape).subspan(1), total);
  if (!keeps_batch) {
    return Unsupported(
        context,
        fmt::format("{} to shape {}, wanted one that keeps the batch as its "
                    "first dimension, such as [-1,{}]; other shapes mix rows",
                    ValueText(input), ShapeText(wanted), total));
  }
  shape[0] = kBatchDim;
  return OutputTypes{{input.type, shape}};
}

absl::StatusOr<OutputTypes> InferGather(InferenceContext& context) {
  const Value& data = *context.inputs[0];
  const Value& indices = *context.inputs[1];
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, data.shape.size()));
  if (data.is_batched() && axis == 0) {
    return MixesRows(context);
  }
  if (indices.is_batched() && (data.is_batched() || axis != 0)) {
    return Unsupported(
        context,
        "computed indices are supported into axis 0 of a constant table alone");
  }
  if (indices.type != DataType::kInt32 && indices.type != DataType::kInt64) {
    return Invalid(context, fmt::format("indices, {}, wanted INT32 or INT64",
                                        ValueText(indices)));
  }
  if (!indices.is_batched()) {
    const std::int64_t size = data.shape[axis];
    ASSIGN_OR_RETURN(const auto positions, ConstantIntegers(context, 1));
    for (const std::int64_t position : positions) {
      if (position < -size || position >= size) {
        return Invalid(context, fmt::format("index {} into axis {} of {}, "
                                            "wanted {} to {}",
                                            position, axis, ValueText(data),
                                            -size, size - 1));
      }
    }
  }
  const auto place = static_cast<std::ptrdiff_t>(axis);
  Shape shape(data.shape.begin(), data.shape.begin() + place);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), data.shape.begin() + place + 1, data.shape.end());
  return OutputTypes{{data.type, shape}};
}

absl::StatusOr<OutputTypes> InferConcat(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  const Value& first = *context.inputs[0];
  Shape shape = first.shape;
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, shape.size()));
  shape[axis] = 0;
  for (const Value* input : context.inputs) {
    if (input->is_batched() != first.is_batched()) {
      return Unsupported(context,
                         fmt::format("{} and {}: joining constants with "
                                     "computed values is not supported",
                                     ValueText(first), ValueText(*input)));
    }
    if (input->is_batched() && axis == 0) {
      return MixesRows(context);
    }
    Shape others = input->shape;
    if (others.size() == shape.size()) {
      others[axis] = shape[axis];
    }
    if (others != shape) {
      return Invalid(context,
                     fmt::format("{} and {}, wanted the same sizes "
                                 "but for axis {}",
                                 ValueText(first), ValueText(*input), axis));
    }
    shape[axis] += input->shape[axis];
  }
  return OutputTypes{{first.type, shape}};
}

absl::StatusOr<OutputTypes> InferTranspose(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  const std::size_t rank = input.shape.size();
  std::vector<std::int64_t> order = IntsAttribute(context.node, "perm");
  if (order.empty()) {
    order.resize(rank);
    std::iota(order.rbegin(), order.rend(), std::int64_t{0});
  }
  std::vector<std::int64_t> identity(rank);
  std::iota(identity.begin(), identity.end(), std::int64_t{0});
  if (!std::ranges::is_permutation(order, identity)) {
    return Invalid(context, fmt::format("perm has {} dimensions, wanted an "
                                        "order of the {} of {}",
                                        order.size(), rank, ValueText(input)));
  }
  if (input.is_batched() && order[0] != 0) {
    return MixesRows(context);
  }
  Shape shape;
  for (const std::int64_t dimension : order) {
    shape.push_back(input.shape[static_cast<std::size_t>(dimension)]);
  }
  context.node.attributes["perm"] = std::move(order);
  return OutputTypes{{input.type, shape}};
}

}  // namespace relu
