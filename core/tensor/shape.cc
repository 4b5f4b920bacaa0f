#include "core/tensor/shape.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace relu {

std::optional<std::int64_t> ElementCount(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 ||
        (size > 0 && count > std::numeric_limits<std::int64_t>::max() / size)) {
      return std::nullopt;
    }
    count *= size;
  }
  return count;
}

std::string ShapeText(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

}  // namespace relu
