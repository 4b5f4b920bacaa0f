#include "server/json_tensor.h"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/tensor/data_type.h"
#include "fmt/format.h"
#include "server/json_text.h"
#include "server/text.h"

namespace relu {
namespace {

namespace ondemand = simdjson::ondemand;

// Deeper nesting than any model has; it bounds the recursion.
constexpr std::size_t kMaxListDepth = 32;

constexpr std::size_t kLengthBytes = 4;  // In front of each BYTES element.

absl::Status BadTensor(std::string_view message) {
  return absl::InvalidArgumentError(std::string(message));
}

// --- One element of type T ---

struct Text {};  // An element of the datatype BYTES.

// False if `value` is not of the type, or out of its range.
template <typename T>
bool AppendElement(ondemand::value value, std::string& values) {
  T element{};
  if constexpr (std::is_same_v<T, Text>) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
      return false;
    }
    const auto size = static_cast<std::uint32_t>(text.size());
    values.append(reinterpret_cast<const char*>(&size), kLengthBytes);
    values.append(text);
    return true;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (value.get_bool().get(element) != simdjson::SUCCESS) {
      return false;
    }
  } else if constexpr (std::is_floating_point_v<T>) {
    double number = 0;
    if (value.get_double().get(number) != simdjson::SUCCESS) {
      return false;
    }
    element = static_cast<T>(number);
    if (!std::isfinite(element)) {
      return false;
    }
  } else {
    using Wide =
        std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    Wide number = 0;
    if (value.get(number) != simdjson::SUCCESS ||
        number < std::numeric_limits<T>::min() ||
        number > std::numeric_limits<T>::max()) {
      return false;
    }
    element = static_cast<T>(number);
  }
  values.append(reinterpret_cast<const char*>(&element), sizeof(element));
  return true;
}

// --- All of them ---

// Where elements go, and what is known of them.
struct Target {
  std::string_view datatype;
  std::span<const std::int64_t> shape;
  std::size_t max_bytes;
  std::string& values;
  bool nested = false;  // Lists in lists; else one flat list.
  std::size_t elements = 0;
};

absl::Status BadElement(ondemand::value value, const Target& target) {
  constexpr std::size_t kMaxShownBytes = 40;
  return BadTensor(fmt::format(
      "element {} of \"data\": got {}, expected {}", target.elements,
      Printable(value.raw_json_token(), kMaxShownBytes),
      target.datatype == "BOOL" ? "true or false"
      : target.datatype == "BYTES"
          ? "a string"
          : fmt::format("a number of datatype {}", target.datatype)));
}

// The elements of `list`, which is `level` lists deep in the outermost.
template <typename T>
absl::Status AppendList(ondemand::value list, std::size_t level,
                        Target& target) {
  ondemand::array array;
  if (list.get_array().get(array) != simdjson::SUCCESS) {
    return BadTensor("\"data\": expected a list, flat or nested as the shape");
  }
  std::int64_t count = 0;
  for (auto element : array) {
    ondemand::value value;
    if (const auto error = element.get(value); error != simdjson::SUCCESS) {
      return BadTensor(fmt::format("\"data\" is no JSON: {}",
                                   simdjson::error_message(error)));
    }
    if (level == 0 && count == 0 && target.shape.size() > 1) {
      ondemand::json_type type{};
      target.nested = value.type().get(type) == simdjson::SUCCESS &&
                      type == ondemand::json_type::array;
    }
    ++count;
    if (target.nested && level + 1 < target.shape.size()) {
      RETURN_IF_ERROR(AppendList<T>(value, level + 1, target));
      continue;
    }
    if (!AppendElement<T>(value, target.values)) {
      return BadElement(value, target);
    }
    ++target.elements;
    if (target.values.size() > target.max_bytes) {
      return absl::ResourceExhaustedError(fmt::format(
          "the values take more than the limit leaves, {} bytes: send fewer "
          "rows",
          target.max_bytes));
    }
  }
  if (target.nested && count != target.shape[level]) {
    return BadTensor(
        fmt::format("a list of {} in \"data\", dimension {} of the shape is {}",
                    count, level, target.shape[level]));
  }
  return absl::OkStatus();
}

using AppendFunction = absl::Status (*)(ondemand::value, std::size_t, Target&);

// nullptr: none by this name.
AppendFunction AppendFor(std::string_view datatype) {
  if (datatype == "BYTES") {
    return AppendList<Text>;
  }
  const std::optional<DataType> type = ParseDataType(datatype);
  if (!type.has_value()) {
    return nullptr;
  }
  switch (*type) {
    case DataType::kBool:
      return AppendList<bool>;
    case DataType::kUint8:
      return AppendList<std::uint8_t>;
    case DataType::kUint16:
      return AppendList<std::uint16_t>;
    case DataType::kUint32:
      return AppendList<std::uint32_t>;
    case DataType::kUint64:
      return AppendList<std::uint64_t>;
    case DataType::kInt8:
      return AppendList<std::int8_t>;
    case DataType::kInt16:
      return AppendList<std::int16_t>;
    case DataType::kInt32:
      return AppendList<std::int32_t>;
    case DataType::kInt64:
      return AppendList<std::int64_t>;
    case DataType::kFp32:
      return AppendList<float>;
    case DataType::kFp64:
      return AppendList<double>;
    case DataType::kFp16:
    case DataType::kBf16:
      break;
  }
  return nullptr;
}

// nullopt: not a number that a request could have.
std::optional<std::size_t> CountElements(std::span<const std::int64_t> shape) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || (size > 0 && count > kMost / size)) {
      return std::nullopt;
    }
    count *= size;
  }
  return static_cast<std::size_t>(count);
}

// --- To JSON ---

absl::Status NoJson(std::string_view datatype) {
  return BadTensor(
      fmt::format("{} cannot be written as JSON: use the binary tensor "
                  "extension (binary_data_size, binary_data)",
                  datatype));
}

absl::Status TooLong(std::size_t max_bytes) {
  return absl::ResourceExhaustedError(fmt::format(
      "the answer takes more than the limit of {} bytes: send fewer rows, or "
      "ask for outputs as bytes (\"binary_data\": true)",
      max_bytes));
}

template <typename T>
absl::Status AppendNumbers(std::string_view values, std::size_t max_bytes,
                           std::string& json) {
  std::array<char, 32> text{};  // The longest, of a double, has 24.
  for (std::size_t i = 0; i < values.size() / sizeof(T); ++i) {
    T value{};
    std::memcpy(&value, values.data() + i * sizeof(T), sizeof(T));
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) {
        return BadTensor(fmt::format(
            "element {} is {}, which JSON has no number for: ask for the "
            "output as bytes (\"binary_data\": true)",
            i, value));
      }
    }
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value);
    json.append(i == 0 ? "" : ",");
    json.append(text.data(), end.ptr);
    if (json.size() > max_bytes) {
      return TooLong(max_bytes);
    }
  }
  return absl::OkStatus();
}

absl::Status AppendBools(std::string_view values, std::size_t max_bytes,
                         std::string& json) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    json.append(i == 0 ? "" : ",");
    json.append(values[i] != 0 ? "true" : "false");
    if (json.size() > max_bytes) {
      return TooLong(max_bytes);
    }
  }
  return absl::OkStatus();
}

absl::Status AppendStrings(std::string_view values, std::size_t max_bytes,
                           std::string& json) {
  bool first = true;
  while (!values.empty()) {
    std::uint32_t size = 0;
    if (values.size() >= kLengthBytes) {
      std::memcpy(&size, values.data(), kLengthBytes);
    }
    if (values.size() < kLengthBytes || size > values.size() - kLengthBytes) {
      return absl::InternalError("BYTES elements that do not end");
    }
    json.append(first ? "" : ",");
    first = false;
    AppendJsonString(values.substr(kLengthBytes, size), json);
    values.remove_prefix(kLengthBytes + size);
    if (json.size() > max_bytes) {
      return TooLong(max_bytes);
    }
  }
  return absl::OkStatus();
}

absl::Status AppendElements(std::string_view values, std::string_view datatype,
                            std::size_t max_bytes, std::string& json) {
  if (datatype == "BYTES") {
    return AppendStrings(values, max_bytes, json);
  }
  const std::optional<DataType> type = ParseDataType(datatype);
  if (!type.has_value()) {
    return NoJson(datatype);
  }
  switch (*type) {
    case DataType::kBool:
      return AppendBools(values, max_bytes, json);
    case DataType::kUint8:
      return AppendNumbers<std::uint8_t>(values, max_bytes, json);
    case DataType::kUint16:
      return AppendNumbers<std::uint16_t>(values, max_bytes, json);
    case DataType::kUint32:
      return AppendNumbers<std::uint32_t>(values, max_bytes, json);
    case DataType::kUint64:
      return AppendNumbers<std::uint64_t>(values, max_bytes, json);
    case DataType::kInt8:
      return AppendNumbers<std::int8_t>(values, max_bytes, json);
    case DataType::kInt16:
      return AppendNumbers<std::int16_t>(values, max_bytes, json);
    case DataType::kInt32:
      return AppendNumbers<std::int32_t>(values, max_bytes, json);
    case DataType::kInt64:
      return AppendNumbers<std::int64_t>(values, max_bytes, json);
    case DataType::kFp32:
      return AppendNumbers<float>(values, max_bytes, json);
    case DataType::kFp64:
      return AppendNumbers<double>(values, max_bytes, json);
    case DataType::kFp16:
    case DataType::kBf16:
      break;
  }
  return NoJson(datatype);
}

}  // namespace

absl::Status JsonToTensor(ondemand::value data, std::string_view datatype,
                          std::span<const std::int64_t> shape,
                          std::size_t max_bytes, std::string& values) {
  if (datatype == "FP16" || datatype == "BF16") {
    return NoJson(datatype);
  }
  const AppendFunction append = AppendFor(datatype);
  if (append == nullptr) {
    return BadTensor(fmt::format(
        "datatype '{}': expected BOOL, BYTES, FP32, FP64, or INT or UINT with "
        "8, 16, 32 or 64",
        Printable(datatype)));
  }
  if (shape.size() > kMaxListDepth) {
    return BadTensor(fmt::format("a shape of {} dimensions, the most is {}",
                                 shape.size(), kMaxListDepth));
  }
  Target target{.datatype = datatype,
                .shape = shape,
                .max_bytes = max_bytes,
                .values = values};
  RETURN_IF_ERROR(append(data, 0, target));
  const std::optional<std::size_t> count = CountElements(shape);
  if (count.has_value() && *count != target.elements) {
    return BadTensor(
        fmt::format("\"data\" has {} elements, the shape [{}] has {}",
                    target.elements, fmt::join(shape, ","), *count));
  }
  return absl::OkStatus();
}

absl::Status TensorToJson(std::string_view values, std::string_view datatype,
                          std::size_t max_bytes, std::string& json) {
  json += '[';
  RETURN_IF_ERROR(AppendElements(values, datatype, max_bytes, json));
  json += ']';
  return absl::OkStatus();
}

}  // namespace relu
