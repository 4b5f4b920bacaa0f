// ComputeTimes: how long a batch took, by phase.

#ifndef CORE_METRICS_COMPUTE_TIMES_H_
#define CORE_METRICS_COMPUTE_TIMES_H_

#include <atomic>
#include <chrono>
#include <cstdint>

namespace relu {

struct ComputeTimes {
  std::chrono::nanoseconds input{0};   // Gather the rows of the requests.
  std::chrono::nanoseconds infer{0};   // Run the network.
  std::chrono::nanoseconds output{0};  // Scatter the results.
};

// The times of the batches that a request was part of, summed: batches with
// pieces of one request may run at the same time. Thread-safe: the sum is read
// when all of them are known to be over, so relaxed order is enough.
class ComputeTimeSum {
 public:
  void Clear() {
    input_ns_.store(0, std::memory_order_relaxed);
    infer_ns_.store(0, std::memory_order_relaxed);
    output_ns_.store(0, std::memory_order_relaxed);
  }

  void Add(const ComputeTimes& times) {
    input_ns_.fetch_add(times.input.count(), std::memory_order_relaxed);
    infer_ns_.fetch_add(times.infer.count(), std::memory_order_relaxed);
    output_ns_.fetch_add(times.output.count(), std::memory_order_relaxed);
  }

  ComputeTimes Get() const {
    using std::chrono::nanoseconds;
    return {.input = nanoseconds(input_ns_.load(std::memory_order_relaxed)),
            .infer = nanoseconds(infer_ns_.load(std::memory_order_relaxed)),
            .output = nanoseconds(output_ns_.load(std::memory_order_relaxed))};
  }

 private:
  std::atomic<std::int64_t> input_ns_ = 0;
  std::atomic<std::int64_t> infer_ns_ = 0;
  std::atomic<std::int64_t> output_ns_ = 0;
};

}  // namespace relu

#endif  // CORE_METRICS_COMPUTE_TIMES_H_
