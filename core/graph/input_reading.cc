#include "core/graph/input_reading.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/value_declaration.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

// Beyond this, a first dimension of fixed size is no batch.
constexpr std::int64_t kMaxFixedRows = std::int64_t{1} << 16U;

absl::StatusOr<ValueType> ReadInput(const onnx::ValueInfoProto& info) {
  ASSIGN_OR_RETURN(ValueDeclaration declaration,
                   ReadDeclaration("input", info));
  if (!declaration.type || !declaration.shape) {
    return absl::UnimplementedError(
        fmt::format("input \"{}\" has no type or no shape; export it with "
                    "both, and the batch as the first dimension",
                    info.name()));
  }
  Shape& shape = *declaration.shape;
  const auto open = std::ranges::count(shape, kBatchDim);
  if (open > 1) {
    return absl::UnimplementedError(fmt::format(
        "input \"{}\" has shape {}: only one dimension, the batch, may be "
        "open; export with fixed sizes for the others",
        info.name(), ShapeText(shape)));
  }
  if (open == 1 && std::ranges::find(shape, 0) != shape.end()) {
    return absl::UnimplementedError(
        fmt::format("input \"{}\" has shape {}: its rows have no element, "
                    "wanted sizes of 1 or more",
                    info.name(), ShapeText(shape)));
  }
  return ValueType{*declaration.type, std::move(shape)};
}

bool IsOpen(const ValueType& type) {
  return std::ranges::find(type.shape, kBatchDim) != type.shape.end();
}

}  // namespace

absl::StatusOr<std::vector<InputReading>> ReadInputs(
    std::span<const onnx::ValueInfoProto* const> inputs) {
  InputReading declared;
  for (const onnx::ValueInfoProto* info : inputs) {
    ASSIGN_OR_RETURN(ValueType type, ReadInput(*info));
    declared.types.push_back(std::move(type));
  }
  std::vector<InputReading> readings;
  const std::vector<ValueType>& types = declared.types;
  if (!types.empty() && std::ranges::none_of(types, &IsOpen)) {
    const std::int64_t rows = types[0].shape.empty() ? 0 : types[0].shape[0];
    const bool is_shared =
        std::ranges::all_of(types, [rows](const ValueType& type) {
          return !type.shape.empty() && type.shape[0] == rows &&
                 std::ranges::find(type.shape, 0) == type.shape.end();
        });
    if (is_shared && rows <= kMaxFixedRows) {
      InputReading& fixed = readings.emplace_back(declared);
      fixed.fixed_rows = rows;
      for (ValueType& type : fixed.types) {
        type.shape[0] = kBatchDim;
      }
    }
  }
  readings.push_back(std::move(declared));
  return readings;
}

}  // namespace relu
