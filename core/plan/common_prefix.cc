#include "core/plan/common_prefix.h"

#include <cstddef>
#include <cstring>

namespace relu {

std::size_t CommonPrefix(std::size_t rows, std::size_t columns,
                         const float* values, std::size_t stride) {
  std::size_t prefix = columns;
  for (std::size_t row = 1; row < rows; ++row) {
    const float* const other = values + row * stride;
    // Most rows have no less in common than the ones before.
    if (std::memcmp(values, other, prefix * sizeof(float)) == 0) {
      continue;
    }
    std::size_t same = 0;
    // By bits: NaN is not equal to itself, and 0 is to -0.
    while (std::memcmp(values + same, other + same, sizeof(float)) == 0) {
      ++same;
    }
    prefix = same;
  }
  return prefix;
}

}  // namespace relu
