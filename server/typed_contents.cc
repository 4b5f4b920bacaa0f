#include "server/typed_contents.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"

#include "core/tensor/data_type.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

using Bytes = std::span<const std::byte>;
using Contents = inference::InferTensorContents;

// bool_contents is viewed as the bytes of a BOOL tensor.
static_assert(sizeof(bool) == 1);

// The field that holds elements of `type`; empty if none does.
std::string_view FieldOf(DataType type) {
  switch (type) {
    case DataType::kBool:
      return "bool_contents";
    case DataType::kInt8:
    case DataType::kInt16:
    case DataType::kInt32:
      return "int_contents";
    case DataType::kInt64:
      return "int64_contents";
    case DataType::kUint8:
    case DataType::kUint16:
    case DataType::kUint32:
      return "uint_contents";
    case DataType::kUint64:
      return "uint64_contents";
    case DataType::kFp32:
      return "fp32_contents";
    case DataType::kFp64:
      return "fp64_contents";
    case DataType::kFp16:
    case DataType::kBf16:
      break;
  }
  return {};
}

// Refuses elements in a field other than `wanted`, where they would be lost.
absl::Status CheckOtherFields(const Contents& contents,
                              std::string_view wanted) {
  const struct {
    std::string_view name;
    int size;
  } fields[] = {
      {"bool_contents", contents.bool_contents_size()},
      {"int_contents", contents.int_contents_size()},
      {"int64_contents", contents.int64_contents_size()},
      {"uint_contents", contents.uint_contents_size()},
      {"uint64_contents", contents.uint64_contents_size()},
      {"fp32_contents", contents.fp32_contents_size()},
      {"fp64_contents", contents.fp64_contents_size()},
      {"bytes_contents", contents.bytes_contents_size()},
  };
  for (const auto& field : fields) {
    if (field.size > 0 && field.name != wanted) {
      return absl::InvalidArgumentError(
          fmt::format("{} elements found in {}, expected them in {}",
                      field.size, field.name, wanted));
    }
  }
  return absl::OkStatus();
}

template <typename T>
Bytes View(const google::protobuf::RepeatedField<T>& field) {
  return std::as_bytes(
      std::span(field.data(), static_cast<std::size_t>(field.size())));
}

// Copies elements that are wider in the message than in the tensor.
template <typename Narrow, typename Wide>
absl::StatusOr<Bytes> Convert(
    const google::protobuf::RepeatedField<Wide>& field, DataType type,
    std::vector<std::byte>& buffer) {
  buffer.resize(static_cast<std::size_t>(field.size()) * sizeof(Narrow));
  std::byte* out = buffer.data();
  for (int i = 0; i < field.size(); ++i) {
    const Wide value = field.Get(i);
    if (value < std::numeric_limits<Narrow>::min() ||
        value > std::numeric_limits<Narrow>::max()) {
      return absl::InvalidArgumentError(
          fmt::format("element {} is {}, out of the range of {}", i, value,
                      DataTypeName(type)));
    }
    const auto narrow = static_cast<Narrow>(value);
    std::memcpy(out, &narrow, sizeof(narrow));
    out += sizeof(narrow);
  }
  return Bytes(buffer);
}

}  // namespace

absl::StatusOr<Bytes> TypedContents(const Contents& contents, DataType type,
                                    std::vector<std::byte>& buffer) {
  const std::string_view field = FieldOf(type);
  if (field.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("{} has no typed field, expected raw_input_contents",
                    DataTypeName(type)));
  }
  if (absl::Status status = CheckOtherFields(contents, field); !status.ok()) {
    return status;
  }
  switch (type) {
    case DataType::kBool:
      return View(contents.bool_contents());
    case DataType::kInt8:
      return Convert<std::int8_t>(contents.int_contents(), type, buffer);
    case DataType::kInt16:
      return Convert<std::int16_t>(contents.int_contents(), type, buffer);
    case DataType::kInt32:
      return View(contents.int_contents());
    case DataType::kInt64:
      return View(contents.int64_contents());
    case DataType::kUint8:
      return Convert<std::uint8_t>(contents.uint_contents(), type, buffer);
    case DataType::kUint16:
      return Convert<std::uint16_t>(contents.uint_contents(), type, buffer);
    case DataType::kUint32:
      return View(contents.uint_contents());
    case DataType::kUint64:
      return View(contents.uint64_contents());
    case DataType::kFp32:
      return View(contents.fp32_contents());
    case DataType::kFp64:
      return View(contents.fp64_contents());
    case DataType::kFp16:
    case DataType::kBf16:
      break;  // No field: returned above.
  }
  return Bytes();
}

}  // namespace relu
