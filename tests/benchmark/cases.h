// What engine_benchmark measures: networks, batch sizes and conditions.

#ifndef TESTS_BENCHMARK_CASES_H_
#define TESTS_BENCHMARK_CASES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "tests/benchmark/network.h"

namespace relu::benchmarks {

// One network under one condition: a row of a table for each batch size.
struct Case {
  std::string table;    // "dense", "trained", "half", "cold" or "zeros"
  std::string network;  // A shape, a layer such as "512x512", or a model.
  std::vector<std::size_t> sizes;    // Of the random network; none: a model.
  std::vector<std::size_t> batches;  // Rows of each.
  // Of a random network, the share of zeros among inputs and hidden outputs.
  double input_zeros = 0.0;
  double hidden_zeros = 0.5;
  // Of a random network: weights in half precision, and kept so by our engine.
  bool half_weights = false;
};

// All cases for one thread; for more, the networks of random weights. `quick`:
// fewer batch sizes, shares of zeros and models.
std::vector<Case> AllCases(int threads, bool quick);

// "dense/A/16", "zeros/A@0.9/1": what --filter is matched with.
std::string NameOf(const Case& a_case, std::size_t batch);

// The network of a case. `testdata`: the folder tests/testdata.
absl::StatusOr<Network> MakeNetwork(const Case& a_case,
                                    const std::string& testdata);

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_CASES_H_
