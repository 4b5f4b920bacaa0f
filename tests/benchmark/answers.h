// The answers of an engine as plain numbers, to be compared.

#ifndef TESTS_BENCHMARK_ANSWERS_H_
#define TESTS_BENCHMARK_ANSWERS_H_

#include <cstddef>
#include <span>
#include <vector>

#include "core/tensor/tensor.h"
#include "tests/benchmark/network.h"

namespace relu::benchmarks {

// One tensor of `rows` rows for each output of `network`.
std::vector<Tensor> MakeOutputs(const Network& network, std::size_t rows);

// The elements of `tensors`, one after the other. Types: FP32, FP64, INT64.
std::vector<double> ElementsOf(const std::vector<Tensor>& tensors);

// The largest difference, relative to the largest magnitude in `wanted`.
// Infinite where the sizes differ or a number is none.
double LargestDifference(std::span<const double> wanted,
                         std::span<const double> found);

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_ANSWERS_H_
