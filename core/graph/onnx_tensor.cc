#include "core/graph/onnx_tensor.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/base/utf8.h"
#include "core/graph/graph.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

// Far above any weights, far below what overflows when it is counted in bytes.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 40U;

absl::StatusOr<Shape> ReadShape(const onnx::TensorProto& proto) {
  if (static_cast<std::size_t>(proto.dims_size()) > kMaxRank) {
    return absl::UnimplementedError(fmt::format("{} dimensions, the most is {}",
                                                proto.dims_size(), kMaxRank));
  }
  Shape shape(proto.dims().begin(), proto.dims().end());
  const std::optional<std::int64_t> count = ElementCount(shape);
  if (!count || *count > kMaxElements) {
    return absl::InvalidArgumentError(
        fmt::format("shape {}: a size is negative, or there are more than {} "
                    "elements",
                    ShapeText(shape), kMaxElements));
  }
  return shape;
}

// Calls `visit` with the typed field that belongs to `type` and a value of the
// C++ type of its elements (for 16-bit floats, of their bits).
template <typename Visit>
auto VisitField(const onnx::TensorProto& proto, DataType type, Visit visit) {
  switch (type) {
    case DataType::kFp32:
      return visit(proto.float_data(), float{});
    case DataType::kFp64:
      return visit(proto.double_data(), double{});
    case DataType::kInt64:
      return visit(proto.int64_data(), std::int64_t{});
    case DataType::kUint64:
      return visit(proto.uint64_data(), std::uint64_t{});
    case DataType::kUint32:
      return visit(proto.uint64_data(), std::uint32_t{});
    case DataType::kInt32:
      return visit(proto.int32_data(), std::int32_t{});
    case DataType::kInt16:
      return visit(proto.int32_data(), std::int16_t{});
    case DataType::kInt8:
      return visit(proto.int32_data(), std::int8_t{});
    case DataType::kUint16:
    case DataType::kFp16:
    case DataType::kBf16:
      return visit(proto.int32_data(), std::uint16_t{});
    case DataType::kUint8:
    case DataType::kBool:
      break;
  }
  return visit(proto.int32_data(), std::uint8_t{});
}

// The elements of all typed fields together.
std::int64_t CountTyped(const onnx::TensorProto& proto) {
  return std::int64_t{proto.float_data_size()} + proto.int32_data_size() +
         proto.string_data_size() + proto.int64_data_size() +
         proto.double_data_size() + proto.uint64_data_size();
}

absl::StatusOr<Tensor> ReadTyped(const onnx::TensorProto& proto, DataType type,
                                 const Shape& shape) {
  const std::int64_t size = VisitField(
      proto, type, [](const auto& field, auto) { return field.size(); });
  if (size != ElementCount(shape) || size != CountTyped(proto)) {
    return absl::InvalidArgumentError(fmt::format(
        "{} elements in the field for {} and {} in all, shape {} takes {}",
        size, DataTypeName(type), CountTyped(proto), ShapeText(shape),
        ElementCount(shape).value()));
  }
  Tensor tensor(type, shape);
  const bool in_range =
      VisitField(proto, type, [&](const auto& field, auto zero) {
        using T = decltype(zero);
        std::ranges::transform(field, tensor.As<T>().begin(), [](auto value) {
          return static_cast<T>(value);
        });
        if constexpr (std::is_integral_v<T>) {
          return std::ranges::all_of(
              field, [](auto value) { return std::in_range<T>(value); });
        }
        return true;
      });
  if (!in_range) {
    return absl::InvalidArgumentError(
        fmt::format("an element is out of range for {}", DataTypeName(type)));
  }
  return tensor;
}

absl::StatusOr<Tensor> ReadRaw(const onnx::TensorProto& proto, DataType type,
                               const Shape& shape) {
  const std::string& raw = proto.raw_data();
  const std::size_t wanted =
      static_cast<std::size_t>(ElementCount(shape).value()) *
      DataTypeSize(type);
  if (raw.size() != wanted || CountTyped(proto) > 0) {
    return absl::InvalidArgumentError(fmt::format(
        "{} bytes of raw data and {} elements in other fields, shape {} of {} "
        "takes {} bytes of raw data alone",
        raw.size(), CountTyped(proto), ShapeText(shape), DataTypeName(type),
        wanted));
  }
  Tensor tensor(type, shape);
  std::memcpy(tensor.bytes().data(), raw.data(), wanted);
  return tensor;
}

absl::StatusOr<std::uint64_t> ReadNumber(
    const onnx::StringStringEntryProto& entry) {
  const std::string& text = entry.value();
  const char* const end = text.data() + text.size();
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) {
    return absl::InvalidArgumentError(
        fmt::format("external data has {} \"{}\", wanted a number of bytes",
                    entry.key(), ClipUtf8(text, 32)));
  }
  return number;
}

absl::StatusOr<Tensor> ReadExternal(const onnx::TensorProto& proto,
                                    DataType type, const Shape& shape,
                                    ExternalData& external) {
  ExternalRange range;
  for (const onnx::StringStringEntryProto& entry : proto.external_data()) {
    if (entry.key() == "location") {
      range.location = entry.value();
    } else if (entry.key() == "offset") {
      ASSIGN_OR_RETURN(range.offset_bytes, ReadNumber(entry));
    } else if (entry.key() == "length") {
      ASSIGN_OR_RETURN(range.length_bytes, ReadNumber(entry));
    }
  }
  if (!proto.raw_data().empty() || CountTyped(proto) > 0) {
    return absl::InvalidArgumentError(
        "it has external data and data of its own");
  }
  return external.Read(range, type, shape);
}

absl::StatusOr<Tensor> Read(const onnx::TensorProto& proto,
                            ExternalData& external) {
  const std::optional<DataType> type = DataTypeFromOnnx(proto.data_type());
  if (!type) {
    return absl::UnimplementedError(
        fmt::format("ONNX element type {} is not supported; export with "
                    "numbers or booleans",
                    proto.data_type()));
  }
  if (proto.has_segment()) {
    return absl::UnimplementedError("segments of tensors are not supported");
  }
  ASSIGN_OR_RETURN(const Shape shape, ReadShape(proto));
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    return ReadExternal(proto, *type, shape, external);
  }
  return proto.raw_data().empty() ? ReadTyped(proto, *type, shape)
                                  : ReadRaw(proto, *type, shape);
}

}  // namespace

std::optional<DataType> DataTypeFromOnnx(std::int64_t number) {
  using onnx::TensorProto;
  switch (number) {
    case TensorProto::BOOL:
      return DataType::kBool;
    case TensorProto::UINT8:
      return DataType::kUint8;
    case TensorProto::UINT16:
      return DataType::kUint16;
    case TensorProto::UINT32:
      return DataType::kUint32;
    case TensorProto::UINT64:
      return DataType::kUint64;
    case TensorProto::INT8:
      return DataType::kInt8;
    case TensorProto::INT16:
      return DataType::kInt16;
    case TensorProto::INT32:
      return DataType::kInt32;
    case TensorProto::INT64:
      return DataType::kInt64;
    case TensorProto::FLOAT16:
      return DataType::kFp16;
    case TensorProto::BFLOAT16:
      return DataType::kBf16;
    case TensorProto::FLOAT:
      return DataType::kFp32;
    case TensorProto::DOUBLE:
      return DataType::kFp64;
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Tensor> TensorFromOnnx(const onnx::TensorProto& proto,
                                      ExternalData& external) {
  auto tensor = Read(proto, external);
  if (!tensor.ok()) {
    return WithPrefix(fmt::format("tensor \"{}\": ", proto.name()),
                      tensor.status());
  }
  return tensor;
}

}  // namespace relu
