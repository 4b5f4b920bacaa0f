// Engines measured in turn, sample by sample, so that whatever else the machine
// does falls on all of them alike. A ratio is that of two samples taken one
// right after the other, and the median of many such pairs.
//
// Google Benchmark, which kernels_benchmark uses, runs one benchmark to its end
// and then the next: on a shared machine its ratios move by tens of percent.

#ifndef TESTS_BENCHMARK_MEASUREMENT_H_
#define TESTS_BENCHMARK_MEASUREMENT_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/benchmark/engine.h"

namespace relu::benchmarks {

// Of one call of Measure().
struct Limits {
  // The time of one sample: as many calls as fit, at least one.
  std::chrono::microseconds sample_time{300};
  // How long a measurement goes on, unless it has too few or enough rounds. In
  // a round each engine gives one sample.
  std::chrono::milliseconds time{800};
  std::size_t least_rounds = 7;
  std::size_t most_rounds = 101;
};

struct Measurement {
  std::size_t batch_count = 0;
  double operations = 0;         // Of one call.
  std::size_t weight_bytes = 0;  // That one call reads.
  int threads = 1;
  // Each sample is one call after 64 MB of other data went through the caches.
  bool cold = false;
};

// Times of one engine, by round.
struct EngineTimes {
  std::string name;
  double median_us = 0;
  double best_us = 0;
  double ratio = 0;  // Its time by that of the first engine: median of pairs.
};

// Limits of the machine, measured in the same rounds.
struct Roofline {
  double gflops = 0;          // Multiply-adds on registers, all threads.
  double gigabytes = 0;       // A second, reading as much as the weights take.
  double share_of_fma = 0;    // The first engine's, median of pairs.
  double share_of_limit = 0;  // The same of the lower limit of both.
};

struct Result {
  std::vector<EngineTimes> engines;
  Roofline roofline;
  std::size_t rounds = 0;
};

// Microseconds of one call, by round, of everything that took turns: the
// engines in their order, then the two limits of the machine.
using Samples = std::vector<std::vector<double>>;

// Measures prepared engines, of which there is at least one, and adds what it
// finds to `samples`, which is empty or from these engines prepared before.
void Measure(const Measurement& measurement,
             const std::vector<Engine*>& engines, const Limits& limits,
             Samples& samples);

Result Summarize(const Measurement& measurement,
                 const std::vector<Engine*>& engines, const Samples& samples);

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_MEASUREMENT_H_
