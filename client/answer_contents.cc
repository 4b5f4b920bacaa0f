#include "client/answer_contents.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/wire_datatype.h"
#include "fmt/format.h"

namespace relu {
namespace {

template <typename T>
void AppendValue(T value, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// The bytes of `values` as elements of T.
template <typename T, typename Field>
absl::StatusOr<std::string> Pack(const Field& values) {
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(values.size()) * sizeof(T));
  for (const auto value : values) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      if (!std::in_range<T>(value)) {
        return absl::InternalError(
            fmt::format("the value {} is out of range", value));
      }
    }
    AppendValue(static_cast<T>(value), bytes);
  }
  return bytes;
}

template <typename Field>
absl::StatusOr<std::string> PackStrings(const Field& values) {
  std::string bytes;
  for (const std::string& value : values) {
    AppendValue(static_cast<std::uint32_t>(value.size()), bytes);
    bytes += value;
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> BytesOfTypedContents(
    std::string_view datatype, const inference::InferTensorContents& contents) {
  if (datatype == "BOOL") {
    return Pack<bool>(contents.bool_contents());
  }
  if (datatype == "INT8") {
    return Pack<std::int8_t>(contents.int_contents());
  }
  if (datatype == "INT16") {
    return Pack<std::int16_t>(contents.int_contents());
  }
  if (datatype == "INT32") {
    return Pack<std::int32_t>(contents.int_contents());
  }
  if (datatype == "INT64") {
    return Pack<std::int64_t>(contents.int64_contents());
  }
  if (datatype == "UINT8") {
    return Pack<std::uint8_t>(contents.uint_contents());
  }
  if (datatype == "UINT16") {
    return Pack<std::uint16_t>(contents.uint_contents());
  }
  if (datatype == "UINT32") {
    return Pack<std::uint32_t>(contents.uint_contents());
  }
  if (datatype == "UINT64") {
    return Pack<std::uint64_t>(contents.uint64_contents());
  }
  if (datatype == "FP32") {
    return Pack<float>(contents.fp32_contents());
  }
  if (datatype == "FP64") {
    return Pack<double>(contents.fp64_contents());
  }
  if (datatype == kBytesDatatype) {
    return PackStrings(contents.bytes_contents());
  }
  if (contents.ByteSizeLong() == 0) {
    return std::string();
  }
  return absl::InternalError(
      "the protocol has no typed contents for this datatype");
}

}  // namespace relu
