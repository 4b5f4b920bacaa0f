#include "core/graph/inference_checks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/row_samples.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// The size at dimension `index` of a result of `rank` dimensions: 1 where
// broadcasting adds dimensions in front.
std::int64_t SizeAt(const Shape& shape, std::size_t index, std::size_t rank) {
  const std::size_t added = rank - shape.size();
  return index < added ? 1 : shape[index - added];
}

}  // namespace

absl::Status Invalid(const InferenceContext& context, std::string_view reason) {
  return absl::InvalidArgumentError(
      fmt::format("{}: {}", NodeText(context.node), reason));
}

absl::Status Unsupported(const InferenceContext& context,
                         std::string_view reason) {
  return absl::UnimplementedError(
      fmt::format("{}: {}", NodeText(context.node), reason));
}

bool HasInput(const InferenceContext& context, std::size_t index) {
  return index < context.inputs.size() && context.inputs[index] != nullptr;
}

absl::Status CheckFloatingPoint(const InferenceContext& context) {
  for (const Value* input : context.inputs) {
    if (input != nullptr && !IsFloatingPoint(input->type)) {
      return Unsupported(
          context, fmt::format("{} is not of a floating-point type; put a Cast "
                               "before the node",
                               ValueText(*input)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const InferenceContext& context) {
  for (const Value* input : context.inputs) {
    if (input != nullptr && input->type == DataType::kBool) {
      return Unsupported(context,
                         fmt::format("{}, wanted numbers; put a Cast before "
                                     "the node",
                                     ValueText(*input)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckBoolean(const InferenceContext& context, std::size_t index) {
  const Value& input = *context.inputs[index];
  return input.type == DataType::kBool
             ? absl::OkStatus()
             : Invalid(context,
                       fmt::format("{}, wanted BOOL", ValueText(input)));
}

absl::Status CheckSameType(const InferenceContext& context) {
  const Value& first = *context.inputs[0];
  for (const Value* input : context.inputs) {
    if (input != nullptr && input->type != first.type) {
      return Invalid(context, fmt::format("{} and {}, wanted one type",
                                          ValueText(first), ValueText(*input)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> NormalizeAxis(InferenceContext& context,
                                          std::size_t rank, std::size_t size) {
  const std::int64_t axis = IntAttribute(context.node, "axis");
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= static_cast<std::int64_t>(size)) {
    return Invalid(context,
                   fmt::format("axis {}, wanted {} to {}", axis, -signed_rank,
                               static_cast<std::int64_t>(size) - 1));
  }
  const std::int64_t normal = axis < 0 ? axis + signed_rank : axis;
  context.node.attributes["axis"] = normal;
  return static_cast<std::size_t>(normal);
}

absl::StatusOr<std::size_t> NormalizeAxis(InferenceContext& context,
                                          std::size_t rank) {
  return NormalizeAxis(context, rank, rank);
}

absl::StatusOr<std::vector<std::int64_t>> NormalizeAxes(
    const InferenceContext& context, std::vector<std::int64_t> axes,
    std::size_t rank) {
  const auto size = static_cast<std::int64_t>(rank);
  for (std::int64_t& axis : axes) {
    if (axis < -size || axis >= size) {
      return Invalid(context, fmt::format("axis {}, wanted {} to {}", axis,
                                          -size, size - 1));
    }
    axis += axis < 0 ? size : 0;
  }
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) {
    return Invalid(context,
                   fmt::format("axes {}, wanted each once", ShapeText(axes)));
  }
  return axes;
}

absl::StatusOr<std::vector<std::int64_t>> KnownIntegers(
    const InferenceContext& context, std::size_t index) {
  const Value& value = *context.inputs[index];
  if (value.type != DataType::kInt64 && value.type != DataType::kInt32) {
    return Invalid(context,
                   fmt::format("{}, wanted INT64 or INT32", ValueText(value)));
  }
  if (value.constant != nullptr) {
    return ToIntegers(*value.constant);
  }
  if (index >= context.samples.size() || context.samples[index] == nullptr) {
    return Unsupported(context,
                       fmt::format("{} is computed from the rows, wanted a "
                                   "constant; export with fixed sizes",
                                   ValueText(value)));
  }
  std::optional<std::vector<std::int64_t>> integers =
      context.samples[index]->Integers(kRowCount);
  if (!integers) {
    return Unsupported(
        context, fmt::format("{} depends on the number of rows, wanted that "
                             "number itself or fixed sizes; export with "
                             "fixed sizes",
                             ValueText(value)));
  }
  return *std::move(integers);
}

absl::StatusOr<std::vector<std::int64_t>> ConstantIntegers(
    const InferenceContext& context, std::size_t index) {
  ASSIGN_OR_RETURN(std::vector<std::int64_t> integers,
                   KnownIntegers(context, index));
  if (std::ranges::find(integers, kRowCount) != integers.end()) {
    return Unsupported(context,
                       fmt::format("{} holds the number of rows, wanted a "
                                   "constant; export with fixed sizes",
                                   ValueText(*context.inputs[index])));
  }
  return integers;
}

absl::StatusOr<std::optional<std::vector<std::int64_t>>> IntegersGiven(
    InferenceContext& context, std::string_view name, std::size_t index) {
  std::optional<std::vector<std::int64_t>> integers;
  if (HasInput(context, index)) {
    ASSIGN_OR_RETURN(integers, ConstantIntegers(context, index));
  } else if (!IntsAttribute(context.node, name).empty()) {
    integers = IntsAttribute(context.node, name);
  }
  KeepInputs(context, index);
  return integers;
}

void KeepInputs(InferenceContext& context, std::size_t count) {
  context.node.inputs.resize(std::min(count, context.node.inputs.size()));
}

absl::StatusOr<Shape> BroadcastShapes(const InferenceContext& context,
                                      const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape shape;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t x = SizeAt(a, i, rank);
    const std::int64_t y = SizeAt(b, i, rank);
    if (x != y && x != 1 && y != 1) {
      const std::string text = fmt::format("shapes {} and {} do not broadcast",
                                           ShapeText(a), ShapeText(b));
      return x == kBatchDim || y == kBatchDim
                 ? Unsupported(context,
                               text +
                                   ": the batch meets a fixed size; wanted "
                                   "the same constant for every row")
                 : Invalid(context, text);
    }
    shape.push_back(x == 1 ? y : x);
  }
  return shape;
}

absl::StatusOr<Shape> BroadcastInputs(const InferenceContext& context,
                                      std::size_t first) {
  Shape shape = context.inputs[first]->shape;
  for (std::size_t i = first + 1; i < context.inputs.size(); ++i) {
    if (context.inputs[i] != nullptr) {
      ASSIGN_OR_RETURN(
          shape, BroadcastShapes(context, shape, context.inputs[i]->shape));
    }
  }
  return shape;
}

absl::Status CheckBroadcastsTo(const InferenceContext& context,
                               std::size_t index, const Shape& shape) {
  const Value& value = *context.inputs[index];
  ASSIGN_OR_RETURN(const Shape both,
                   BroadcastShapes(context, value.shape, shape));
  if (both != shape) {
    return Invalid(context, fmt::format("{}, wanted a shape that broadcasts to "
                                        "{}",
                                        ValueText(value), ShapeText(shape)));
  }
  return absl::OkStatus();
}

std::string ValueText(const Value& value) {
  return fmt::format("input \"{}\", {} {}", value.name,
                     DataTypeName(value.type), ShapeText(value.shape));
}

}  // namespace relu
