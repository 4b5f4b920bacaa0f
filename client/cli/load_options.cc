#include "client/cli/load_options.h"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/load/arrivals.h"
#include "client/load/load_run.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kMaxReplayBytes = std::size_t{1} << 30;
constexpr double kMaxSeconds = 1e8;  // 3 years.
constexpr std::chrono::seconds kDefaultDuration(10);
// What a search takes for one rate.
constexpr std::chrono::seconds kProbeDuration(3);
// Of a run that ends by itself: far away, and no sum with it overflows.
constexpr auto kUnlimited = std::chrono::hours(24 * 365);

absl::Status WrongOption(std::string_view what) {
  return absl::InvalidArgumentError(std::string(what));
}

absl::StatusOr<nanoseconds> SecondsOption(std::string_view option,
                                          double seconds, double least) {
  // Written so that NaN is refused.
  if (!(seconds >= least && seconds <= kMaxSeconds)) {
    return WrongOption(fmt::format("{}: {} is not from {} to {} seconds",
                                   option, seconds, least, kMaxSeconds));
  }
  return nanoseconds(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}

absl::StatusOr<load::Pace> ReplayOf(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxReplayBytes));
  auto times = load::ParseTimestamps(text);
  if (!times.ok()) {
    return WrongOption(
        fmt::format("{}: {}", file, std::string(times.status().message())));
  }
  return load::Replayed{
      .times =
          std::make_shared<const std::vector<nanoseconds>>(*std::move(times))};
}

absl::StatusOr<nanoseconds> DurationOf(const LoadOptions& options) {
  if (options.duration_seconds.has_value()) {
    return SecondsOption("--duration", *options.duration_seconds, 0.001);
  }
  if (options.peak_target_ms.has_value()) {
    return kProbeDuration;
  }
  if (options.calls.has_value() || !options.replay.empty()) {
    return kUnlimited;
  }
  return kDefaultDuration;
}

}  // namespace

absl::StatusOr<std::vector<load::Pace>> PacesOf(const LoadOptions& options) {
  const int kinds = (options.concurrency.empty() ? 0 : 1) +
                    (options.rates.empty() ? 0 : 1) +
                    (options.replay.empty() ? 0 : 1);
  const bool peak = options.peak_target_ms.has_value();
  if (kinds > 1 || (peak && kinds > (options.rates.size() == 1 ? 1 : 0))) {
    return WrongOption(
        "--concurrency, --rate, --replay and --find-peak: only one of them is "
        "possible (--find-peak takes one --rate to begin with)");
  }
  std::vector<load::Pace> paces;
  if (peak) {
    return paces;
  }
  if (!options.replay.empty()) {
    ASSIGN_OR_RETURN(paces.emplace_back(), ReplayOf(options.replay));
  }
  for (const int calls : options.concurrency) {
    if (calls < options.threads) {
      return WrongOption(
          fmt::format("--concurrency: {} is less than the {} threads", calls,
                      options.threads));
    }
    paces.emplace_back(load::Concurrency{.calls = calls});
  }
  for (const double rate : options.rates) {
    paces.emplace_back(load::Rate{.per_second = rate,
                                  .poisson = options.arrivals == "poisson"});
  }
  if (paces.empty()) {
    paces.emplace_back(load::Concurrency{.calls = options.threads});
  }
  return paces;
}

absl::StatusOr<load::LoadPlan> PlanOf(const LoadOptions& options) {
  load::LoadPlan plan;
  plan.threads = options.threads;
  ASSIGN_OR_RETURN(plan.warm_up,
                   SecondsOption("--warmup", options.warm_up_seconds, 0));
  if (!options.replay.empty()) {
    plan.warm_up = nanoseconds(0);  // It would take the first times.
  }
  ASSIGN_OR_RETURN(plan.duration, DurationOf(options));
  ASSIGN_OR_RETURN(plan.window,
                   SecondsOption("--window", options.window_seconds, 0.01));
  plan.calls = options.calls;
  if (options.stable_percent.has_value()) {
    plan.stability =
        load::Stability{.tolerance = *options.stable_percent / 100};
    if (!options.duration_seconds.has_value()) {
      plan.duration = 6 * kDefaultDuration;
    }
  }
  plan.max_in_flight = options.max_in_flight;
  plan.seed = options.seed;
  return plan;
}

}  // namespace relu
