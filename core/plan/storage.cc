#include "core/plan/storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/plan/index_table.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

std::size_t ProductOfSizes(std::span<const std::int64_t> sizes) {
  return static_cast<std::size_t>(std::accumulate(
      sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>()));
}

}  // namespace

DataType StorageType(DataType type) {
  const bool is_other_float = type == DataType::kFp16 ||
                              type == DataType::kBf16 ||
                              type == DataType::kFp64;
  return is_other_float ? DataType::kFp32 : type;
}

std::span<const std::int64_t> RowShape(const Value& value) {
  CHECK(value.is_batched());
  return std::span(value.shape).subspan(1);
}

std::size_t RowElements(const Value& value) {
  return ProductOfSizes(RowShape(value));
}

std::size_t RowBytes(const Value& value) {
  return RowElements(value) * DataTypeSize(StorageType(value.type));
}

AxisSplit SplitRow(const Value& value, std::int64_t axis) {
  CHECK(axis >= 1);
  const std::span<const std::int64_t> shape = RowShape(value);
  const auto at = static_cast<std::size_t>(axis - 1);
  CHECK(at < shape.size());
  return {.outer = ProductOfSizes(shape.first(at)),
          .size = static_cast<std::size_t>(shape[at]),
          .inner = ProductOfSizes(shape.subspan(at + 1))};
}

Tensor ToStorage(const Tensor& constant) {
  if (StorageType(constant.type()) == constant.type()) {
    return constant.Clone();
  }
  Tensor stored(DataType::kFp32, constant.shape());
  if (constant.type() == DataType::kFp64) {
    std::ranges::transform(constant.As<double>(), stored.As<float>().begin(),
                           [](double x) { return static_cast<float>(x); });
    return stored;
  }
  const auto widen =
      constant.type() == DataType::kFp16 ? &Fp16ToFloat : &Bf16ToFloat;
  std::ranges::transform(constant.As<std::uint16_t>(),
                         stored.As<float>().begin(), widen);
  return stored;
}

absl::StatusOr<Tensor> ExpandConstant(const Node& node, const Tensor& constant,
                                      const Value& like) {
  const std::span<const std::int64_t> row_shape = RowShape(like);
  std::span<const std::int64_t> from = constant.shape();
  if (from.size() == like.shape.size() && from[0] == 1) {
    from = from.subspan(1);
  }
  const std::optional<IndexTable> table = BroadcastTable(from, row_shape);
  if (!table.has_value()) {
    return absl::UnimplementedError(fmt::format(
        "{}: a constant of shape {} does not fit into each row of a value of "
        "shape {}; constants must be the same for all rows",
        NodeText(node), ShapeText(constant.shape()), ShapeText(like.shape)));
  }
  const Tensor stored = ToStorage(constant);
  Tensor row(stored.type(), Shape(row_shape.begin(), row_shape.end()));
  const std::size_t element_bytes = DataTypeSize(stored.type());
  for (std::size_t i = 0; i < table->size(); ++i) {
    std::memcpy(row.bytes().data() + i * element_bytes,
                stored.bytes().data() + (*table)[i] * element_bytes,
                element_bytes);
  }
  return row;
}

absl::Status RequireFloat(const Node& node, const Value& value) {
  if (StorageType(value.type) == DataType::kFp32) {
    return absl::OkStatus();
  }
  return absl::UnimplementedError(
      fmt::format("{}: value \"{}\" has type {}, supported are FP32, FP64, "
                  "FP16 and BF16; add a "
                  "Cast to float32 before the node",
                  NodeText(node), value.name, DataTypeName(value.type)));
}

}  // namespace relu
