#include "client/wire_datatype.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace relu {
namespace {

constexpr std::array<std::pair<std::string_view, std::size_t>, 14> kSizes = {{
    {"BOOL", 1},
    {"UINT8", 1},
    {"UINT16", 2},
    {"UINT32", 4},
    {"UINT64", 8},
    {"INT8", 1},
    {"INT16", 2},
    {"INT32", 4},
    {"INT64", 8},
    {"FP16", 2},
    {"BF16", 2},
    {"FP32", 4},
    {"FP64", 8},
    {kBytesDatatype, 0},
}};

}  // namespace

std::optional<std::size_t> WireElementSize(std::string_view datatype) {
  for (const auto& [name, size_bytes] : kSizes) {
    if (name == datatype) {
      return size_bytes;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> WireElementCount(
    std::span<const std::int64_t> shape) {
  if (std::ranges::any_of(shape, [](std::int64_t size) { return size < 0; })) {
    return std::nullopt;
  }
  if (std::ranges::find(shape, 0) != shape.end()) {
    return 0;
  }
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (__builtin_mul_overflow(count, size, &count)) {
      return std::nullopt;
    }
  }
  return count;
}

}  // namespace relu
