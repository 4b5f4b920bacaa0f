// What this CPU can do at most: the two limits that the times of engines are
// held against.

#ifndef TESTS_BENCHMARK_ROOFLINE_H_
#define TESTS_BENCHMARK_ROOFLINE_H_

#include <cstddef>
#include <span>

namespace relu::benchmarks {

// Twelve independent chains of `steps` fused multiply-adds on registers, with
// the widest that the kernels would take. Returns the number of floating-point
// operations.
double MultiplyAdd(std::size_t steps);

// Reads all of `values`, whose size is a multiple of kReadUnit, in four streams
// at once: one alone does not reach what the memory can do.
inline constexpr std::size_t kReadUnit = 128;
void ReadAll(std::span<const float> values);

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_ROOFLINE_H_
