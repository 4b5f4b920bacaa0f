#include "core/graph/onnx_tensor.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/base/utf8.h"
#include "core/graph/external_data.h"
#include "core/graph/file_stream.h"
#include "core/graph/graph.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CopyingInputStreamAdaptor;
using onnx::TensorProto;

// Far above any weights, far below what overflows when it is counted in bytes.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 40U;

// Larger ones are weights. Of INT32 and INT64 are sizes, axes and indices, too,
// never so many that it matters what they are.
constexpr std::int64_t kMostKnownElements = 4096;
constexpr std::int64_t kMostKnownIntegers = 65'536;

absl::StatusOr<Shape> ReadShape(const TensorProto& proto) {
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

// Calls `visit` with the typed field that belongs to `type`, its number, and a
// value of the C++ type of its elements (for 16-bit floats, of their bits).
template <typename Visit>
auto VisitField(const TensorProto& proto, DataType type, Visit visit) {
  switch (type) {
    case DataType::kFp32:
      return visit(proto.float_data(), TensorProto::kFloatDataFieldNumber,
                   float{});
    case DataType::kFp64:
      return visit(proto.double_data(), TensorProto::kDoubleDataFieldNumber,
                   double{});
    case DataType::kInt64:
      return visit(proto.int64_data(), TensorProto::kInt64DataFieldNumber,
                   std::int64_t{});
    case DataType::kUint64:
      return visit(proto.uint64_data(), TensorProto::kUint64DataFieldNumber,
                   std::uint64_t{});
    case DataType::kUint32:
      return visit(proto.uint64_data(), TensorProto::kUint64DataFieldNumber,
                   std::uint32_t{});
    case DataType::kInt32:
      return visit(proto.int32_data(), TensorProto::kInt32DataFieldNumber,
                   std::int32_t{});
    case DataType::kInt16:
      return visit(proto.int32_data(), TensorProto::kInt32DataFieldNumber,
                   std::int16_t{});
    case DataType::kInt8:
      return visit(proto.int32_data(), TensorProto::kInt32DataFieldNumber,
                   std::int8_t{});
    case DataType::kUint16:
    case DataType::kFp16:
    case DataType::kBf16:
      return visit(proto.int32_data(), TensorProto::kInt32DataFieldNumber,
                   std::uint16_t{});
    case DataType::kUint8:
    case DataType::kBool:
      break;
  }
  return visit(proto.int32_data(), TensorProto::kInt32DataFieldNumber,
               std::uint8_t{});
}

// The elements of typed fields that were left in the file: of one, or of all.
std::int64_t CountLeft(const TensorProto& proto,
                       std::optional<int> number = std::nullopt) {
  std::int64_t count = 0;
  for (const TensorProto::Stretch& stretch : proto.left_in_file()) {
    if (number ? stretch.field() == *number
               : stretch.field() != TensorProto::kRawDataFieldNumber) {
      count += stretch.elements();
    }
  }
  return count;
}

// The elements of all typed fields together.
std::int64_t CountTyped(const TensorProto& proto) {
  return std::int64_t{proto.float_data_size()} + proto.int32_data_size() +
         proto.string_data_size() + proto.int64_data_size() +
         proto.double_data_size() + proto.uint64_data_size() + CountLeft(proto);
}

// The raw data that was left in the file: the last there is counts.
const TensorProto::Stretch* RawStretch(const TensorProto& proto) {
  const TensorProto::Stretch* found = nullptr;
  for (const TensorProto::Stretch& stretch : proto.left_in_file()) {
    if (stretch.field() == TensorProto::kRawDataFieldNumber) {
      found = &stretch;
    }
  }
  return found;
}

std::size_t CountRaw(const TensorProto& proto) {
  const TensorProto::Stretch* const stretch = RawStretch(proto);
  return stretch == nullptr ? proto.raw_data().size()
                            : static_cast<std::size_t>(stretch->length_bytes());
}

// Whether all numbers fit the elements.
template <typename T, typename Numbers>
bool CopyNumbers(const Numbers& numbers, std::span<T> elements) {
  std::ranges::transform(numbers, elements.begin(),
                         [](auto value) { return static_cast<T>(value); });
  if constexpr (std::is_integral_v<T>) {
    return std::ranges::all_of(
        numbers, [](auto value) { return std::in_range<T>(value); });
  }
  return true;
}

absl::Status OutOfRange(DataType type) {
  return absl::InvalidArgumentError(
      fmt::format("an element is out of range for {}", DataTypeName(type)));
}

// Numbers of type Number in the file, for a tensor of `type`.
template <typename Number, typename T>
absl::Status ReadNumbers(const File& file, const TensorProto::Stretch& stretch,
                         DataType type, std::span<T> elements) {
  if constexpr (std::is_floating_point_v<T>) {
    return file.Read(static_cast<std::uint64_t>(stretch.offset_bytes()),
                     std::as_writable_bytes(elements));
  } else {
    FileStream bytes(file, stretch.offset_bytes(),
                     stretch.offset_bytes() + stretch.length_bytes());
    CopyingInputStreamAdaptor adaptor(&bytes);
    CodedInputStream stream(&adaptor);
    for (T& element : elements) {
      std::uint64_t bits = 0;
      if (!stream.ReadVarint64(&bits)) {
        RETURN_IF_ERROR(bytes.status());
        return absl::InvalidArgumentError("its data is damaged");
      }
      const auto number = static_cast<Number>(bits);
      if (!std::in_range<T>(number)) {
        return OutOfRange(type);
      }
      element = static_cast<T>(number);
    }
    return absl::OkStatus();
  }
}

absl::Status ReadTypedInto(const TensorProto& proto, const File* file,
                           Tensor& tensor) {
  return VisitField(
      proto, tensor.type(),
      [&](const auto& field, int number, auto zero) -> absl::Status {
        using T = decltype(zero);
        using Number = typename std::decay_t<decltype(field)>::value_type;
        std::span<T> elements = tensor.As<T>();
        if (!CopyNumbers(field, elements)) {
          return OutOfRange(tensor.type());
        }
        elements = elements.subspan(static_cast<std::size_t>(field.size()));
        for (const TensorProto::Stretch& stretch : proto.left_in_file()) {
          if (stretch.field() == number) {
            const auto count = static_cast<std::size_t>(stretch.elements());
            RETURN_IF_ERROR(ReadNumbers<Number>(*file, stretch, tensor.type(),
                                                elements.first(count)));
            elements = elements.subspan(count);
          }
        }
        return absl::OkStatus();
      });
}

// That the fields hold what the shape takes: as many elements, and no others.
absl::Status CheckTyped(const TensorProto& proto, DataType type,
                        const Shape& shape) {
  const auto [plain, left] =
      VisitField(proto, type, [&](const auto& field, int number, auto) {
        return std::pair(std::int64_t{field.size()}, CountLeft(proto, number));
      });
  if (plain + left != ElementCount(shape) ||
      plain + left != CountTyped(proto)) {
    return absl::InvalidArgumentError(fmt::format(
        "{} elements in the field for {} and {} in all, shape {} takes {}",
        plain + left, DataTypeName(type), CountTyped(proto), ShapeText(shape),
        ElementCount(shape).value()));
  }
  if (plain > 0 && left > 0) {
    return absl::UnimplementedError(
        "some of its elements are packed, some are not; export it as raw data");
  }
  return absl::OkStatus();
}

absl::Status CheckRaw(const TensorProto& proto, DataType type,
                      const Shape& shape) {
  const std::size_t wanted =
      static_cast<std::size_t>(ElementCount(shape).value()) *
      DataTypeSize(type);
  if (CountRaw(proto) != wanted || CountTyped(proto) > 0) {
    return absl::InvalidArgumentError(fmt::format(
        "{} bytes of raw data and {} elements in other fields, shape {} of {} "
        "takes {} bytes of raw data alone",
        CountRaw(proto), CountTyped(proto), ShapeText(shape),
        DataTypeName(type), wanted));
  }
  return absl::OkStatus();
}

absl::Status ReadRawInto(const TensorProto& proto, const File* file,
                         Tensor& tensor) {
  if (const TensorProto::Stretch* const stretch = RawStretch(proto);
      stretch != nullptr) {
    return file->Read(static_cast<std::uint64_t>(stretch->offset_bytes()),
                      tensor.bytes());
  }
  std::memcpy(tensor.bytes().data(), proto.raw_data().data(),
              proto.raw_data().size());
  return absl::OkStatus();
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

absl::StatusOr<ExternalRange> ReadRange(const TensorProto& proto) {
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
  if (CountRaw(proto) > 0 || CountTyped(proto) > 0) {
    return absl::InvalidArgumentError(
        "it has external data and data of its own");
  }
  return range;
}

absl::StatusOr<Tensor> ReadExternal(const TensorProto& proto, DataType type,
                                    const Shape& shape, TensorSource& source) {
  ASSIGN_OR_RETURN(const ExternalRange range, ReadRange(proto));
  if (source.outlines && IsLeftOut(type, ElementCount(shape).value())) {
    RETURN_IF_ERROR(source.external.Check(range, type, shape));
    return Tensor::WithoutElements(type, shape);
  }
  return source.external.Read(range, type, shape);
}

// Counts what a tensor takes beyond what its numbers take in the file.
absl::Status ClaimSpare(const TensorProto& proto, DataType type,
                        const Shape& shape, TensorSource& source) {
  std::size_t bytes = static_cast<std::size_t>(ElementCount(shape).value()) *
                      DataTypeSize(type);
  for (const TensorProto::Stretch& stretch : proto.left_in_file()) {
    bytes -= std::min(bytes, static_cast<std::size_t>(stretch.length_bytes()));
  }
  if (bytes > source.spare_bytes) {
    return absl::InvalidArgumentError(
        "it and others take more memory than their numbers in the file; export "
        "weights as raw data");
  }
  source.spare_bytes -= bytes;
  return absl::OkStatus();
}

absl::StatusOr<Tensor> ReadOwn(const TensorProto& proto, DataType type,
                               const Shape& shape, TensorSource& source) {
  if (!proto.left_in_file().empty() && source.file == nullptr) {
    return absl::InvalidArgumentError("field left_in_file, which is our own");
  }
  const bool is_raw = CountRaw(proto) > 0;
  RETURN_IF_ERROR(is_raw ? CheckRaw(proto, type, shape)
                         : CheckTyped(proto, type, shape));
  if (source.file != nullptr) {
    RETURN_IF_ERROR(ClaimSpare(proto, type, shape, source));
  }
  if (source.outlines && IsLeftOut(type, ElementCount(shape).value())) {
    return Tensor::WithoutElements(type, shape);
  }
  Tensor tensor(type, shape);
  RETURN_IF_ERROR(is_raw ? ReadRawInto(proto, source.file, tensor)
                         : ReadTypedInto(proto, source.file, tensor));
  return tensor;
}

absl::StatusOr<Tensor> Read(const TensorProto& proto, TensorSource& source) {
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
  return proto.data_location() == TensorProto::EXTERNAL
             ? ReadExternal(proto, *type, shape, source)
             : ReadOwn(proto, *type, shape, source);
}

}  // namespace

std::optional<DataType> DataTypeFromOnnx(std::int64_t number) {
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

bool IsLeftOut(DataType type, std::int64_t element_count) {
  const bool is_index = type == DataType::kInt32 || type == DataType::kInt64;
  return element_count > (is_index ? kMostKnownIntegers : kMostKnownElements);
}

absl::StatusOr<Tensor> TensorFromOnnx(const TensorProto& proto,
                                      TensorSource& source) {
  auto tensor = Read(proto, source);
  if (!tensor.ok()) {
    return WithPrefix(fmt::format("tensor \"{}\": ", proto.name()),
                      tensor.status());
  }
  return tensor;
}

}  // namespace relu
