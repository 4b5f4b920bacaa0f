#include "core/graph/quantization_inference.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/inference_checks.h"
#include "core/graph/onnx_tensor.h"
#include "core/graph/shape_inference.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

using Indices = std::initializer_list<std::size_t>;

bool IsQuantized(DataType type) {
  return type == DataType::kUint8 || type == DataType::kInt8 ||
         type == DataType::kUint16 || type == DataType::kInt16;
}

absl::Status CheckQuantized(const InferenceContext& context,
                            std::size_t index) {
  const Value& value = *context.inputs[index];
  return IsQuantized(value.type)
             ? absl::OkStatus()
             : Unsupported(context, fmt::format("{}, wanted integers of 8 or "
                                                "16 bits",
                                                ValueText(value)));
}

absl::Status CheckFloat(const InferenceContext& context, std::size_t index) {
  const Value& value = *context.inputs[index];
  return IsFloatingPoint(value.type)
             ? absl::OkStatus()
             : Unsupported(context, fmt::format("{}, wanted a floating-point "
                                                "type",
                                                ValueText(value)));
}

bool IsOneElement(const Value& value) {
  return value.shape.size() <= 1 && ElementCount(value.shape) == 1;
}

// Scale and zero point are one for all, or one for each place of the axis of
// input 0.
absl::Status CheckParameters(InferenceContext& context) {
  if (IntAttribute(context.node, "block_size") != 0) {
    return Unsupported(context,
                       "quantization in blocks is not supported; export with "
                       "one scale for a tensor or an axis");
  }
  const Value& scale = *context.inputs[1];
  RETURN_IF_ERROR(CheckFloat(context, 1));
  if (HasInput(context, 2) && context.inputs[2]->shape != scale.shape) {
    return Invalid(context,
                   fmt::format("{} and {}, wanted one shape", ValueText(scale),
                               ValueText(*context.inputs[2])));
  }
  if (IsOneElement(scale)) {
    context.node.attributes["axis"] = std::int64_t{0};
    return absl::OkStatus();
  }
  const Shape& shape = context.inputs[0]->shape;
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, shape.size()));
  if (scale.shape != Shape{shape[axis]}) {
    return Invalid(context, fmt::format("{}, wanted 1 or {} elements, for axis "
                                        "{} of {}",
                                        ValueText(scale), shape[axis], axis,
                                        ValueText(*context.inputs[0])));
  }
  return absl::OkStatus();
}

// Zero point `index` of a matrix: one, or one for each of `size` rows or
// columns.
absl::Status CheckZeroPoint(const InferenceContext& context, std::size_t index,
                            std::int64_t size) {
  if (!HasInput(context, index)) {
    return absl::OkStatus();
  }
  const Value& value = *context.inputs[index];
  if (IsOneElement(value) || value.shape == Shape{size}) {
    return absl::OkStatus();
  }
  return Unsupported(context, fmt::format("{}, wanted 1 or {} elements",
                                          ValueText(value), size));
}

// ONNX wants the type of the matrix, which it is subtracted from.
absl::Status CheckTypeOfZeroPoint(const InferenceContext& context,
                                  std::size_t index, std::size_t matrix) {
  if (!HasInput(context, index) ||
      context.inputs[index]->type == context.inputs[matrix]->type) {
    return absl::OkStatus();
  }
  return Invalid(context,
                 fmt::format("{}, wanted a zero point of {}",
                             ValueText(*context.inputs[index]),
                             DataTypeName(context.inputs[matrix]->type)));
}

// Parameters of the rows of a matrix on the left and the columns of one on the
// right.
std::int64_t RowsOf(const Value& value) {
  return value.shape.size() < 2 ? 1 : value.shape[value.shape.size() - 2];
}
std::int64_t ColumnsOf(const Value& value) {
  return value.shape.size() < 2 ? 1 : value.shape.back();
}

}  // namespace

absl::StatusOr<OutputTypes> InferQuantizeLinear(InferenceContext& context) {
  RETURN_IF_ERROR(CheckParameters(context));
  if (context.inputs[0]->type != DataType::kInt32) {
    RETURN_IF_ERROR(CheckFloat(context, 0));
  }
  DataType type = DataType::kUint8;
  if (HasInput(context, 2)) {
    type = context.inputs[2]->type;
  } else if (const auto number = IntAttribute(context.node, "output_dtype");
             number != 0) {
    type = DataTypeFromOnnx(number).value_or(DataType::kBool);
  }
  if (!IsQuantized(type)) {
    return Unsupported(context,
                       "quantizes to something else than integers of "
                       "8 or 16 bits");
  }
  return OutputTypes{{type, context.inputs[0]->shape}};
}

absl::StatusOr<OutputTypes> InferDequantizeLinear(InferenceContext& context) {
  RETURN_IF_ERROR(CheckParameters(context));
  if (context.inputs[0]->type != DataType::kInt32) {
    RETURN_IF_ERROR(CheckQuantized(context, 0));
  }
  if (HasInput(context, 2) &&
      context.inputs[2]->type != context.inputs[0]->type) {
    return Invalid(context, fmt::format("{} and {}, wanted one type",
                                        ValueText(*context.inputs[0]),
                                        ValueText(*context.inputs[2])));
  }
  DataType type = context.inputs[1]->type;
  if (const auto number = IntAttribute(context.node, "output_dtype");
      number != 0) {
    type = DataTypeFromOnnx(number).value_or(DataType::kBool);
    if (!IsFloatingPoint(type)) {
      return Unsupported(
          context, fmt::format("ONNX element type {} is not supported as a "
                               "result",
                               number));
    }
  }
  return OutputTypes{{type, context.inputs[0]->shape}};
}

absl::StatusOr<OutputTypes> InferDynamicQuantizeLinear(
    InferenceContext& context) {
  const Value& x = *context.inputs[0];
  if (x.type != DataType::kFp32) {
    return Invalid(context, fmt::format("{}, wanted FP32", ValueText(x)));
  }
  return OutputTypes{{DataType::kUint8, x.shape},
                     {DataType::kFp32, {}},
                     {DataType::kUint8, {}}};
}

absl::StatusOr<OutputTypes> InferMatMulInteger(InferenceContext& context) {
  RETURN_IF_ERROR(CheckQuantized(context, 0));
  RETURN_IF_ERROR(CheckQuantized(context, 1));
  RETURN_IF_ERROR(CheckZeroPoint(context, 2, RowsOf(*context.inputs[0])));
  RETURN_IF_ERROR(CheckZeroPoint(context, 3, ColumnsOf(*context.inputs[1])));
  RETURN_IF_ERROR(CheckTypeOfZeroPoint(context, 2, /*matrix=*/0));
  RETURN_IF_ERROR(CheckTypeOfZeroPoint(context, 3, /*matrix=*/1));
  ASSIGN_OR_RETURN(Shape shape, InferProduct(context, 0, 1));
  return OutputTypes{{DataType::kInt32, shape}};
}

absl::StatusOr<OutputTypes> InferQLinearMatMul(InferenceContext& context) {
  for (const std::size_t i : Indices{0, 2, 3, 5, 7}) {
    RETURN_IF_ERROR(CheckQuantized(context, i));
  }
  for (const std::size_t i : Indices{1, 4, 6}) {
    RETURN_IF_ERROR(CheckFloat(context, i));
  }
  for (const std::size_t i : Indices{1, 2}) {
    RETURN_IF_ERROR(CheckZeroPoint(context, i, RowsOf(*context.inputs[0])));
  }
  for (const std::size_t i : Indices{4, 5}) {
    RETURN_IF_ERROR(CheckZeroPoint(context, i, ColumnsOf(*context.inputs[3])));
  }
  for (const std::size_t i : Indices{6, 7}) {
    RETURN_IF_ERROR(CheckZeroPoint(context, i, /*size=*/1));
  }
  RETURN_IF_ERROR(CheckTypeOfZeroPoint(context, 2, /*matrix=*/0));
  RETURN_IF_ERROR(CheckTypeOfZeroPoint(context, 5, /*matrix=*/3));
  ASSIGN_OR_RETURN(Shape shape, InferProduct(context, 0, 3));
  return OutputTypes{{context.inputs[7]->type, shape}};
}

}  // namespace relu
