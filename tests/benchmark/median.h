// Median: the middle of what was measured.

#ifndef TESTS_BENCHMARK_MEDIAN_H_
#define TESTS_BENCHMARK_MEDIAN_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/base/check.h"

namespace relu::benchmarks {

// `values` has at least one.
inline double Median(std::vector<double> values) {
  CHECK(!values.empty());
  const auto middle =
      values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_MEDIAN_H_
