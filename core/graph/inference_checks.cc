#include "core/graph/inference_checks.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/elements.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {

absl::Status Invalid(const InferenceContext& context, std::string_view reason) {
  return absl::InvalidArgumentError(
      fmt::format("{}: {}", NodeText(context.node), reason));
}

absl::Status Unsupported(const InferenceContext& context,
                         std::string_view reason) {
  return absl::UnimplementedError(
      fmt::format("{}: {}", NodeText(context.node), reason));
}

absl::Status MixesRows(const InferenceContext& context) {
  return Unsupported(context,
                     "works across the rows of a batch; only networks that "
                     "treat each row by itself are supported: keep the batch "
                     "as the first dimension and apply the operator to others");
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

absl::StatusOr<std::vector<std::int64_t>> ConstantIntegers(
    const InferenceContext& context, std::size_t index) {
  const Value& value = *context.inputs[index];
  if (value.constant == nullptr) {
    return Unsupported(context,
                       fmt::format("{} is computed from the rows, wanted a "
                                   "constant; export with fixed sizes",
                                   ValueText(value)));
  }
  if (value.type != DataType::kInt64 && value.type != DataType::kInt32) {
    return Invalid(context,
                   fmt::format("{}, wanted INT64 or INT32", ValueText(value)));
  }
  return ToIntegers(*value.constant);
}

std::string ValueText(const Value& value) {
  return fmt::format("input \"{}\", {} {}", value.name,
                     DataTypeName(value.type), ShapeText(value.shape));
}

}  // namespace relu
