// Whether the values of a tensor are numbers, and within bounds: what checks of
// requests and answers need of every value. And how large they are.

#ifndef CORE_KERNELS_VALUE_RANGE_H_
#define CORE_KERNELS_VALUE_RANGE_H_

#include <cstddef>

namespace relu::kernels {

// Whether none of `n` float32 values is NaN or infinite. `values` needs no
// alignment.
bool AllFinite(std::size_t n, const std::byte* values);

// Whether low[i] <= values[i] <= high[i] for all of `n` float32 values; false
// if one is NaN. `values` needs no alignment.
bool AllWithin(std::size_t n, const std::byte* values, const float* low,
               const float* high);

// The largest size of `n` float32 values, 0 of none; NaN if one is NaN.
float LargestSize(std::size_t n, const float* values);

}  // namespace relu::kernels

#endif  // CORE_KERNELS_VALUE_RANGE_H_
