// RunLoad(): one load run, from its plan to what was measured.

#ifndef CLIENT_LOAD_LOAD_RUN_H_
#define CLIENT_LOAD_LOAD_RUN_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

#include "client/load/measurements.h"
#include "client/load/mix.h"
#include "client/load/transport.h"

namespace relu::load {

// How calls start. The first keeps calls in flight, the others are open loops.
struct Concurrency {
  int calls = 1;
};
struct Rate {
  double per_second = 1;
  bool poisson = false;
};
struct Replayed {
  std::shared_ptr<const std::vector<std::chrono::nanoseconds>> times;
};
using Pace = std::variant<Concurrency, Rate, Replayed>;

// A run ends when the last `windows` windows agree: the throughput and the p99
// of each are within `tolerance` of their mean. What these measured is then the
// result.
struct Stability {
  std::size_t windows = 3;
  double tolerance = 0.1;
};

struct LoadPlan {
  Pace pace;
  std::shared_ptr<const Mix> mix;
  int threads = 1;
  std::chrono::nanoseconds warm_up = std::chrono::seconds(1);
  std::chrono::nanoseconds duration = std::chrono::seconds(10);
  std::optional<std::uint64_t> calls;  // Measured calls, at most.
  std::chrono::nanoseconds window = std::chrono::seconds(1);
  std::optional<Stability> stability;
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
  std::size_t max_in_flight = 4096;  // Of an open loop.
  std::uint64_t seed = 1;
};

struct LoadResult {
  Measurements total;
  std::vector<Measurements> windows;  // One after the other.
  // Of a run with stability: whether it was reached.
  bool stable = false;
  bool interrupted = false;
};

struct LoadSetting {
  // Opens the connections of one thread of the run.
  std::function<absl::StatusOr<std::unique_ptr<Transport>>(int thread)> connect;
  // Called with each window as soon as it is over.
  std::function<void(const Measurements& window)> on_window;
  // If there is one, the run ends once it returns true. Called by many threads.
  std::function<bool()> interrupted;
};

// Errors are those of setting.connect.
absl::StatusOr<LoadResult> RunLoad(const LoadPlan& plan,
                                   const LoadSetting& setting);

// True if the last windows agree.
bool IsStable(const std::vector<Measurements>& windows,
              const Stability& stability);

}  // namespace relu::load

#endif  // CLIENT_LOAD_LOAD_RUN_H_
