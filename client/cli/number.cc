#include "client/cli/number.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "fmt/format.h"

namespace relu {
namespace {

template <typename T>
std::optional<Number> ParseAs(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) {
    return std::nullopt;
  }
  return Number(value);
}

template <typename T>
void AppendBytes(T value, std::vector<std::byte>& elements) {
  const auto* const bytes = reinterpret_cast<const std::byte*>(&value);
  elements.insert(elements.end(), bytes, bytes + sizeof(value));
}

template <typename T>
T Load(const std::byte* element) {
  T value{};
  std::memcpy(&value, element, sizeof(value));
  return value;
}

absl::Status OutOfRange(const Number& number, DataType type) {
  return absl::InvalidArgumentError(fmt::format(
      "{} is out of range of {}", NumberText(number), DataTypeName(type)));
}

// A whole double, such as "3.0", as an integer; others stay what they are.
Number Integral(const Number& number) {
  const double* const value = std::get_if<double>(&number);
  // The bounds are powers of two, so exact. NaN fails each comparison.
  if (value == nullptr || !(*value >= -0x1p63 && *value < 0x1p64) ||
      *value != std::trunc(*value)) {
    return number;
  }
  if (*value < 0x1p63) {
    return static_cast<std::int64_t>(*value);
  }
  return static_cast<std::uint64_t>(*value);
}

template <typename T>
absl::Status AppendInteger(const Number& number, DataType type,
                           std::vector<std::byte>& elements) {
  const Number whole = Integral(number);
  if (const double* const value = std::get_if<double>(&whole)) {
    if (*value == std::trunc(*value)) {  // Beyond 64 bits, or infinite.
      return OutOfRange(number, type);
    }
    return absl::InvalidArgumentError(
        fmt::format("{} is not an integer, which {} wants", NumberText(number),
                    DataTypeName(type)));
  }
  const auto* const value = std::get_if<std::int64_t>(&whole);
  const bool in_range = value != nullptr
                            ? std::in_range<T>(*value)
                            : std::in_range<T>(std::get<std::uint64_t>(whole));
  if (!in_range) {
    return OutOfRange(number, type);
  }
  AppendBytes(value != nullptr ? static_cast<T>(*value)
                               : static_cast<T>(std::get<std::uint64_t>(whole)),
              elements);
  return absl::OkStatus();
}

absl::Status AppendBool(const Number& number,
                        std::vector<std::byte>& elements) {
  const double value = ToDouble(number);
  if (value != 0.0 && value != 1.0) {
    return OutOfRange(number, DataType::kBool);
  }
  AppendBytes(static_cast<std::uint8_t>(value), elements);
  return absl::OkStatus();
}

absl::Status AppendFloat(const Number& number, DataType type,
                         std::vector<std::byte>& elements) {
  const double value = ToDouble(number);
  if (type == DataType::kFp64) {
    AppendBytes(value, elements);
    return absl::OkStatus();
  }
  float rounded = static_cast<float>(value);
  std::uint16_t half = 0;
  if (type != DataType::kFp32) {
    const bool fp16 = type == DataType::kFp16;
    half = fp16 ? FloatToFp16(rounded) : FloatToBf16(rounded);
    rounded = fp16 ? Fp16ToFloat(half) : Bf16ToFloat(half);
  }
  if (std::isinf(rounded) && !std::isinf(value)) {
    return OutOfRange(number, type);
  }
  if (type == DataType::kFp32) {
    AppendBytes(rounded, elements);
  } else {
    AppendBytes(half, elements);
  }
  return absl::OkStatus();
}

// The value of a float type of at most 32 bits.
float LoadFloat(DataType type, const std::byte* element) {
  if (type == DataType::kFp32) {
    return Load<float>(element);
  }
  const auto half = Load<std::uint16_t>(element);
  return type == DataType::kFp16 ? Fp16ToFloat(half) : Bf16ToFloat(half);
}

}  // namespace

std::optional<Number> ParseNumber(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') {
    text.remove_prefix(1);  // from_chars does not take it.
  }
  if (const auto number = ParseAs<std::int64_t>(text)) {
    return number;
  }
  if (const auto number = ParseAs<std::uint64_t>(text)) {
    return number;
  }
  return ParseAs<double>(text);
}

double ToDouble(const Number& number) {
  return std::visit([](auto value) { return static_cast<double>(value); },
                    number);
}

std::string NumberText(const Number& number) {
  return std::visit(
      [](auto value) { return fmt::format("{}", WithoutNanSign(value)); },
      number);
}

absl::Status AppendElement(const Number& number, DataType type,
                           std::vector<std::byte>& elements) {
  switch (type) {
    case DataType::kBool:
      return AppendBool(number, elements);
    case DataType::kUint8:
      return AppendInteger<std::uint8_t>(number, type, elements);
    case DataType::kUint16:
      return AppendInteger<std::uint16_t>(number, type, elements);
    case DataType::kUint32:
      return AppendInteger<std::uint32_t>(number, type, elements);
    case DataType::kUint64:
      return AppendInteger<std::uint64_t>(number, type, elements);
    case DataType::kInt8:
      return AppendInteger<std::int8_t>(number, type, elements);
    case DataType::kInt16:
      return AppendInteger<std::int16_t>(number, type, elements);
    case DataType::kInt32:
      return AppendInteger<std::int32_t>(number, type, elements);
    case DataType::kInt64:
      return AppendInteger<std::int64_t>(number, type, elements);
    case DataType::kFp16:
    case DataType::kBf16:
    case DataType::kFp32:
    case DataType::kFp64:
      break;
  }
  return AppendFloat(number, type, elements);
}

Number LoadElement(DataType type, const std::byte* element) {
  switch (type) {
    case DataType::kBool:
    case DataType::kUint8:
      return std::uint64_t{Load<std::uint8_t>(element)};
    case DataType::kUint16:
      return std::uint64_t{Load<std::uint16_t>(element)};
    case DataType::kUint32:
      return std::uint64_t{Load<std::uint32_t>(element)};
    case DataType::kUint64:
      return Load<std::uint64_t>(element);
    case DataType::kInt8:
      return std::int64_t{Load<std::int8_t>(element)};
    case DataType::kInt16:
      return std::int64_t{Load<std::int16_t>(element)};
    case DataType::kInt32:
      return std::int64_t{Load<std::int32_t>(element)};
    case DataType::kInt64:
      return Load<std::int64_t>(element);
    case DataType::kFp64:
      return Load<double>(element);
    case DataType::kFp16:
    case DataType::kBf16:
    case DataType::kFp32:
      break;
  }
  return double{LoadFloat(type, element)};
}

std::string ElementText(DataType type, const std::byte* element) {
  if (type == DataType::kBool) {
    return Load<std::uint8_t>(element) != 0 ? "true" : "false";
  }
  if (IsFloat(type) && type != DataType::kFp64) {
    // As a float: its shortest text is shorter than that of its double.
    return fmt::format("{}", WithoutNanSign(LoadFloat(type, element)));
  }
  return NumberText(LoadElement(type, element));
}

std::string ShortElementText(DataType type, const std::byte* element) {
  return IsFloat(type)
             ? fmt::format("{:.6g}",
                           WithoutNanSign(ToDouble(LoadElement(type, element))))
             : ElementText(type, element);
}

bool IsFloat(DataType type) {
  return type == DataType::kFp16 || type == DataType::kBf16 ||
         type == DataType::kFp32 || type == DataType::kFp64;
}

}  // namespace relu
