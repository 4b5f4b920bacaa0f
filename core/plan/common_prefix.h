// CommonPrefix: how many leading values all rows of a batch have in common.

#ifndef CORE_PLAN_COMMON_PREFIX_H_
#define CORE_PLAN_COMMON_PREFIX_H_

#include <cstddef>

namespace relu {

// The most values, of the first `columns` of each of `rows` >= 1 rows, that are
// the same in all of these, bit for bit. Rows lie `stride` values apart.
std::size_t CommonPrefix(std::size_t rows, std::size_t columns,
                         const float* values, std::size_t stride);

}  // namespace relu

#endif  // CORE_PLAN_COMMON_PREFIX_H_
