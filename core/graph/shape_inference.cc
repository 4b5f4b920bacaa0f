#include "core/graph/shape_inference.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/inference_checks.h"
#include "core/graph/onnx_tensor.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::string_view kExportWeightsOnTheRight =
    "only activations times constant weights on the right are supported; "
    "export the layer as x * W";

// The size of `value` at dimension `index` of a result of `rank` dimensions: 1
// where broadcasting adds dimensions in front.
std::int64_t SizeAt(const Value& value, std::size_t index, std::size_t rank) {
  const std::size_t added = rank - value.shape.size();
  return index < added ? 1 : value.shape[index - added];
}

std::optional<std::int64_t> BroadcastSize(std::int64_t a, std::int64_t b) {
  if (a == b || b == 1) {
    return a;
  }
  return a == 1 ? std::optional(b) : std::nullopt;
}

// Whether the batch dimension, here or nowhere, is where broadcasting keeps it
// first, and is no pair with a constant that differs from row to row.
absl::Status CheckBatchBroadcast(const InferenceContext& context,
                                 std::size_t rank) {
  const bool any_batched =
      context.inputs[0]->is_batched() || context.inputs[1]->is_batched();
  for (const Value* input : context.inputs) {
    if (input->is_batched() && input->shape.size() != rank) {
      return Unsupported(
          context,
          fmt::format("{} and {}: the batch would not stay the first "
                      "dimension; reshape the one with fewer dimensions",
                      ValueText(*context.inputs[0]),
                      ValueText(*context.inputs[1])));
    }
    if (any_batched && !input->is_batched() && SizeAt(*input, 0, rank) != 1) {
      return Unsupported(
          context, fmt::format("{}: its first dimension meets the batch, so "
                               "that each row has another constant; wanted 1 "
                               "there",
                               ValueText(*input)));
    }
  }
  return absl::OkStatus();
}

// Whether input C of a Gemm broadcasts to [m, n], the same for every row.
absl::Status CheckGemmBias(const InferenceContext& context, std::int64_t m,
                           std::int64_t n) {
  if (context.inputs.size() < 3 || context.inputs[2] == nullptr) {
    return absl::OkStatus();
  }
  const Value& c = *context.inputs[2];
  if (c.is_batched()) {
    return Unsupported(context, fmt::format("C, {}, is computed, wanted a "
                                            "constant; export an Add instead",
                                            ValueText(c)));
  }
  const std::size_t rank = c.shape.size();
  const std::int64_t rows = rank == 2 ? c.shape[0] : 1;
  const std::int64_t columns = rank > 0 ? c.shape[rank - 1] : 1;
  if (m == kBatchDim && rows != 1 && rows == context.fixed_rows) {
    return Unsupported(context, fmt::format("C, {}, is another for each row, "
                                            "wanted shape [{}]",
                                            ValueText(c), n));
  }
  if (rank > 2 || (rows != 1 && rows != m) || (columns != 1 && columns != n)) {
    return Invalid(context, fmt::format("C, {}, wanted a shape that broadcasts "
                                        "to [{},{}]",
                                        ValueText(c), m, n));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OutputTypes> InferActivation(InferenceContext& context) {
  RETURN_IF_ERROR(CheckFloatingPoint(context));
  return OutputTypes{{context.inputs[0]->type, context.inputs[0]->shape}};
}

absl::StatusOr<OutputTypes> InferArithmetic(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  const Value& a = *context.inputs[0];
  const Value& b = *context.inputs[1];
  if (!IsFloatingPoint(a.type) && a.type != DataType::kInt32 &&
      a.type != DataType::kInt64) {
    return Unsupported(context,
                       fmt::format("{}: arithmetic is supported for "
                                   "floating-point types, INT32 and INT64",
                                   ValueText(a)));
  }
  const std::size_t rank = std::max(a.shape.size(), b.shape.size());
  RETURN_IF_ERROR(CheckBatchBroadcast(context, rank));
  Shape shape;
  for (std::size_t i = 0; i < rank; ++i) {
    const auto size = BroadcastSize(SizeAt(a, i, rank), SizeAt(b, i, rank));
    if (!size) {
      return Invalid(context, fmt::format("{} and {}: the shapes do not "
                                          "broadcast",
                                          ValueText(a), ValueText(b)));
    }
    shape.push_back(*size);
  }
  return OutputTypes{{a.type, shape}};
}

absl::StatusOr<OutputTypes> InferGemm(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  RETURN_IF_ERROR(CheckFloatingPoint(context));
  const Value& a = *context.inputs[0];
  const Value& b = *context.inputs[1];
  const bool transposed_a = IntAttribute(context.node, "transA") != 0;
  const bool transposed_b = IntAttribute(context.node, "transB") != 0;
  if (a.shape.size() != 2 || b.shape.size() != 2) {
    return Invalid(context, fmt::format("{} and {}, wanted two matrices",
                                        ValueText(a), ValueText(b)));
  }
  if (b.is_batched() || (a.is_batched() && transposed_a)) {
    return Unsupported(context, kExportWeightsOnTheRight);
  }
  const std::int64_t m = a.shape[transposed_a ? 1 : 0];
  const std::int64_t k = a.shape[transposed_a ? 0 : 1];
  const std::int64_t n = b.shape[transposed_b ? 0 : 1];
  if (b.shape[transposed_b ? 1 : 0] != k) {
    return Invalid(
        context,
        fmt::format("{} and {} (transB = {}), wanted {} rows of "
                    "weights",
                    ValueText(a), ValueText(b), transposed_b ? 1 : 0, k));
  }
  RETURN_IF_ERROR(CheckGemmBias(context, m, n));
  return OutputTypes{{a.type, {m, n}}};
}

absl::StatusOr<OutputTypes> InferMatMul(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  RETURN_IF_ERROR(CheckFloatingPoint(context));
  const Value& a = *context.inputs[0];
  const Value& b = *context.inputs[1];
  if (b.is_batched()) {
    return Unsupported(context, kExportWeightsOnTheRight);
  }
  if (a.is_batched() && a.shape.size() == 1) {
    return MixesRows(context);
  }
  if (a.shape.empty() || b.shape.empty()) {
    return Invalid(context, fmt::format("{} and {}, wanted no scalar",
                                        ValueText(a), ValueText(b)));
  }
  if (a.shape.size() < 2 || b.shape.size() > 2) {
    return Unsupported(context,
                       fmt::format("{} and {}, wanted [...,m,k] and a single "
                                   "matrix [k,n]",
                                   ValueText(a), ValueText(b)));
  }
  if (a.shape.back() != b.shape[0]) {
    return Invalid(context,
                   fmt::format("{} and {}, wanted {} rows of weights",
                               ValueText(a), ValueText(b), a.shape.back()));
  }
  Shape shape = a.shape;
  shape.pop_back();
  if (b.shape.size() == 2) {
    shape.push_back(b.shape[1]);
  }
  return OutputTypes{{a.type, shape}};
}

absl::StatusOr<OutputTypes> InferSoftmax(InferenceContext& context) {
  RETURN_IF_ERROR(CheckFloatingPoint(context));
  const Value& input = *context.inputs[0];
  const bool flatten = context.opset < 13;
  if (IntAttribute(context.node, "axis") == kUnsetAttribute) {
    context.node.attributes["axis"] = std::int64_t{flatten ? 1 : -1};
  }
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, input.shape.size()));
  if (axis == 0 && input.is_batched()) {
    return MixesRows(context);
  }
  context.node.attributes["flatten"] = std::int64_t{flatten ? 1 : 0};
  return OutputTypes{{input.type, input.shape}};
}

absl::StatusOr<OutputTypes> InferArgMax(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, input.shape.size()));
  if (axis == 0 && input.is_batched()) {
    return MixesRows(context);
  }
  if (input.shape[axis] == 0) {
    return Invalid(context, fmt::format("{} has nothing to choose from",
                                        ValueText(input)));
  }
  Shape shape = input.shape;
  if (IntAttribute(context.node, "keepdims") != 0) {
    shape[axis] = 1;
  } else {
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  return OutputTypes{{DataType::kInt64, shape}};
}

absl::StatusOr<OutputTypes> InferCast(InferenceContext& context) {
  const std::int64_t number = IntAttribute(context.node, "to");
  const std::optional<DataType> type = DataTypeFromOnnx(number);
  if (!type) {
    return Unsupported(
        context, fmt::format("ONNX element type {} is not supported", number));
  }
  context.node.attributes["to"] = static_cast<std::int64_t>(*type);
  return OutputTypes{{*type, context.inputs[0]->shape}};
}

}  // namespace relu
