#include "tests/benchmark/measurement.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/aligned_buffer.h"
#include "core/base/check.h"
#include "tests/benchmark/median.h"
#include "tests/benchmark/roofline.h"

namespace relu::benchmarks {
namespace {

using Clock = std::chrono::steady_clock;

// Twice the caches of the largest server CPUs' core complexes.
constexpr std::size_t kFlushBytes = std::size_t{64} << 20U;
constexpr std::size_t kFmaSteps = 1000;
constexpr std::size_t kMostCalls = 100'000;
// A call of so many microseconds spends a small part of them on reading
// weights, wherever they are.
constexpr double kLongUs = 20'000.0;
// Threads that have nothing to do spin for some time, in the way of the next
// engine: OpenBLAS' for 2^26 cycles. After such a pause, a virtual CPU may be
// slow at first, and slow to wake another: on one Zen 3, work of 0.5 ms
// took 1.5 times as long, and a second thread was of no help, for more than 2
// ms.
constexpr std::chrono::milliseconds kSpinTime{60};
constexpr std::chrono::milliseconds kWakeTime{20};

double MicrosecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start)
      .count();
}

void FlushCaches() {
  static AlignedBuffer buffer(kFlushBytes);
  for (std::size_t i = 0; i < buffer.size(); i += kBufferAlignment) {
    buffer.bytes()[i] = static_cast<std::byte>(
        std::to_integer<unsigned>(buffer.bytes()[i]) + 1U);
  }
}

// Something that is called again and again, and its times of one call.
class Contestant {
 public:
  // Each call has the number of the next batch, from 0 to batch_count - 1.
  Contestant(std::function<void(std::size_t)> call, std::size_t batch_count)
      : call_(std::move(call)), batch_count_(batch_count) {}

  // Finds out how many calls make a sample.
  void WarmUp(std::chrono::microseconds sample_time, bool cold) {
    double call_us = Call(1);
    for (std::size_t i = 0; i < 10 && call_us < 1000.0; ++i) {
      call_us = std::min(call_us, Call(1));
    }
    needs_refill_ = call_us < kLongUs;
    const double wanted = static_cast<double>(sample_time.count()) / call_us;
    calls_ = cold || wanted < 1.0  ? 1
             : wanted > kMostCalls ? kMostCalls
                                   : static_cast<std::size_t>(wanted);
  }

  void Sample(bool cold, int threads) {
    if (threads > 1) {
      std::this_thread::sleep_for(kSpinTime);
      CallFor(kWakeTime);
    }
    if (cold) {
      FlushCaches();
    } else {
      Refill();
    }
    times_us_.push_back(Call(calls_));
  }

  const std::vector<double>& times_us() const { return times_us_; }

 private:
  // Brings the weights back into the caches. One call is not enough: where L3
  // holds what falls out of L2, as on AMD's CPUs, 9 MB of weights were read at
  // 68 GB/s after one call, and at 85 after 4, 8, 16 or 32.
  void Refill() {
    if (!needs_refill_) {
      return;
    }
    constexpr int kMostRefills = 8;
    constexpr double kEnoughUs = 2000.0;
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < kMostRefills && MicrosecondsSince(start) < kEnoughUs;
         ++i) {
      Call(1);
    }
  }

  void CallFor(std::chrono::milliseconds time) {
    const Clock::time_point end = Clock::now() + time;
    do {
      Call(1);
    } while (Clock::now() < end);
  }

  double Call(std::size_t count) {
    const Clock::time_point start = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      call_(batch_);
      batch_ = batch_ + 1 == batch_count_ ? 0 : batch_ + 1;
    }
    return MicrosecondsSince(start) / static_cast<double>(count);
  }

  std::function<void(std::size_t)> call_;
  std::size_t batch_count_;
  std::size_t batch_ = 0;
  std::size_t calls_ = 1;
  bool needs_refill_ = true;
  std::vector<double> times_us_;
};

EngineTimes Summary(const Engine& engine, const std::vector<double>& times_us,
                    const std::vector<double>& ours_us) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < times_us.size(); ++i) {
    ratios.push_back(times_us[i] / ours_us[i]);
  }
  return {
      .name = engine.name(),
      .median_us = Median(times_us),
      .best_us = *std::ranges::min_element(times_us),
      .ratio = Median(ratios),
  };
}

// `fma_us` and `read_us`: the least times that the operations and the reading
// of one call can take, by round.
Roofline Limit(const Measurement& measurement,
               const std::vector<double>& ours_us,
               const std::vector<double>& fma_us,
               const std::vector<double>& read_us) {
  std::vector<double> fma_shares;
  std::vector<double> shares;
  for (std::size_t i = 0; i < ours_us.size(); ++i) {
    fma_shares.push_back(fma_us[i] / ours_us[i]);
    shares.push_back(std::max(fma_us[i], read_us[i]) / ours_us[i]);
  }
  return {
      .gflops = measurement.operations / Median(fma_us) / 1e3,
      .gigabytes =
          static_cast<double>(measurement.weight_bytes) / Median(read_us) / 1e3,
      .share_of_fma = Median(fma_shares),
      .share_of_limit = Median(shares),
  };
}

std::vector<double> Scaled(std::vector<double> values, double factor) {
  std::ranges::for_each(values, [factor](double& value) { value *= factor; });
  return values;
}

}  // namespace

void Measure(const Measurement& measurement,
             const std::vector<Engine*>& engines, const Limits& limits,
             Samples& samples) {
  std::vector<Contestant> contestants;
  for (Engine* const engine : engines) {
    contestants.emplace_back(
        [engine](std::size_t batch) { engine->Run(batch); },
        measurement.batch_count);
  }
  contestants.emplace_back(
      [](std::size_t /*batch*/) { MultiplyAdd(kFmaSteps); }, 1);
  const ReadableMemory memory(measurement.weight_bytes);
  contestants.emplace_back([&memory](std::size_t) { memory.Read(); }, 1);

  for (Contestant& contestant : contestants) {
    contestant.WarmUp(limits.sample_time, measurement.cold);
  }
  const Clock::time_point end = Clock::now() + limits.time;
  std::size_t rounds = 0;
  while (rounds < limits.least_rounds ||
         (rounds < limits.most_rounds && Clock::now() < end)) {
    // Every second round goes backwards: no engine is always first.
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      const std::size_t at = rounds % 2 == 0 ? i : contestants.size() - 1 - i;
      contestants[at].Sample(measurement.cold, measurement.threads);
    }
    ++rounds;
  }

  samples.resize(contestants.size());
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    const std::vector<double>& times_us = contestants[i].times_us();
    samples[i].insert(samples[i].end(), times_us.begin(), times_us.end());
  }
}

Result Summarize(const Measurement& measurement,
                 const std::vector<Engine*>& engines, const Samples& samples) {
  const std::vector<double>& ours_us = samples[0];
  Result result;
  result.rounds = ours_us.size();
  for (std::size_t i = 0; i < engines.size(); ++i) {
    result.engines.push_back(Summary(*engines[i], samples[i], ours_us));
  }
  // All threads together multiply, and read, as much as one times their number.
  const double share = 1.0 / measurement.threads;
  const auto weight_bytes = static_cast<double>(measurement.weight_bytes);
  result.roofline = Limit(
      measurement, ours_us,
      Scaled(samples[engines.size()],
             share * measurement.operations / MultiplyAdd(kFmaSteps)),
      Scaled(samples[engines.size() + 1],
             share * weight_bytes /
                 static_cast<double>(
                     ReadableMemory(measurement.weight_bytes).size_bytes())));
  return result;
}

}  // namespace relu::benchmarks
