// Numbers between text, JSON, files and the elements of tensors. Independent of
// the locale.

#ifndef CLIENT_CLI_NUMBER_H_
#define CLIENT_CLI_NUMBER_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "core/tensor/data_type.h"

namespace relu {

// Whole numbers keep all of their digits.
using Number = std::variant<std::int64_t, std::uint64_t, double>;

// "-3", "+0.5", "1e-3", "nan", "inf"; nullopt for any other text.
std::optional<Number> ParseNumber(std::string_view text);

double ToDouble(const Number& number);

// The value as written by a person: "7", "0.5".
std::string NumberText(const Number& number);

// Appends `number` to `elements` as one element of `type`. Floats are rounded
// to nearest. INVALID_ARGUMENT if it is out of range, or not an integer where
// `type` wants one.
absl::Status AppendElement(const Number& number, DataType type,
                           std::vector<std::byte>& elements);

// The value of the element of `type` at `element`, which need not be aligned.
Number LoadElement(DataType type, const std::byte* element);

// The shortest text that is read back as the same element of `type`.
std::string ElementText(DataType type, const std::byte* element);

// For people: floats with 6 significant digits.
std::string ShortElementText(DataType type, const std::byte* element);

bool IsFloat(DataType type);

// `value`, but NaN without its sign: that means nothing, and would be printed.
template <typename T>
T WithoutNanSign(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(value) ? std::fabs(value) : value;
  } else {
    return value;
  }
}

}  // namespace relu

#endif  // CLIENT_CLI_NUMBER_H_
