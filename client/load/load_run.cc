#include "client/load/load_run.h"

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

#include "client/load/arrivals.h"
#include "client/load/measurements.h"
#include "client/load/transport.h"
#include "client/load/window_collector.h"
#include "client/load/worker.h"
#include "core/base/status_macros.h"

namespace relu::load {
namespace {

using std::chrono::nanoseconds;

// `total` shared out as evenly as it goes.
std::uint64_t PartOf(std::uint64_t total, Share share) {
  const auto count = static_cast<std::uint64_t>(share.count);
  const auto index = static_cast<std::uint64_t>(share.index);
  return total / count + (index < total % count ? 1 : 0);
}

std::variant<ClosedLoop, OpenLoop> LoopOf(const LoadPlan& plan, Share share) {
  if (const auto* const closed = std::get_if<Concurrency>(&plan.pace)) {
    return ClosedLoop{.concurrency = static_cast<int>(PartOf(
                          static_cast<std::uint64_t>(closed->calls), share))};
  }
  const auto max_in_flight =
      std::max(std::size_t{1},
               static_cast<std::size_t>(PartOf(plan.max_in_flight, share)));
  if (const auto* const replayed = std::get_if<Replayed>(&plan.pace)) {
    return OpenLoop{.arrivals = Arrivals::Replay(replayed->times, share),
                    .max_in_flight = max_in_flight};
  }
  const auto& rate = std::get<Rate>(plan.pace);
  return OpenLoop{
      .arrivals = rate.poisson
                      ? Arrivals::Poisson(rate.per_second, share, plan.seed)
                      : Arrivals::Constant(rate.per_second, share),
      .max_in_flight = max_in_flight};
}

WorkerPlan PlanOf(const LoadPlan& plan, Share share, TimePoint start) {
  WorkerPlan worker{.loop = LoopOf(plan, share),
                    .mix = plan.mix.get(),
                    .share = share,
                    .seed = plan.seed,
                    .start = start,
                    .warm_up = plan.warm_up,
                    .duration = plan.duration,
                    .calls = plan.calls,
                    .window = plan.window,
                    .timeout = plan.timeout};
  if (plan.calls.has_value()) {
    worker.calls = PartOf(*plan.calls, share);
  }
  return worker;
}

void RunWorker(const WorkerPlan& plan, Transport& transport, WindowSink& sink,
               const std::function<bool()>& stopped) {
  // Linux wakes a thread up to 50 us late unless it is told not to.
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  Worker(plan, transport, sink, stopped).Run();
}

// Takes the windows as they come, and decides when there are enough.
void TakeWindows(const LoadPlan& plan, const LoadSetting& setting,
                 WindowCollector& collector, std::atomic<bool>& stop,
                 LoadResult& result) {
  while (std::optional<Measurements> window = collector.NextWindow()) {
    if (stop && result.stable) {
      continue;  // The rest of a window, after those that agreed.
    }
    result.windows.push_back(*std::move(window));
    if (setting.on_window) {
      setting.on_window(result.windows.back());
    }
    if (plan.stability.has_value() &&
        IsStable(result.windows, *plan.stability)) {
      result.stable = true;
      stop = true;
    }
  }
}

void SumUp(const LoadPlan& plan, const Measurements& tail, LoadResult& result) {
  std::span<const Measurements> counted(result.windows);
  if (result.stable) {
    counted = counted.last(plan.stability->windows);
  } else {
    result.total.Add(tail);
  }
  for (const Measurements& window : counted) {
    result.total.Add(window);
  }
}

}  // namespace

bool IsStable(const std::vector<Measurements>& windows,
              const Stability& stability) {
  if (windows.size() < stability.windows) {
    return false;
  }
  const auto last = std::span(windows).last(stability.windows);
  const auto agree = [&](const auto& value_of) {
    double sum = 0;
    for (const Measurements& window : last) {
      sum += value_of(window);
    }
    const double mean = sum / static_cast<double>(last.size());
    return mean > 0 && std::ranges::all_of(last, [&](const auto& window) {
             return std::abs(value_of(window) - mean) <=
                    stability.tolerance * mean;
           });
  };
  return agree([](const Measurements& window) {
           return static_cast<double>(window.answered) /
                  std::chrono::duration<double>(window.length).count();
         }) &&
         agree([](const Measurements& window) {
           return static_cast<double>(window.latency.Percentile(99).count());
         });
}

absl::StatusOr<LoadResult> RunLoad(const LoadPlan& plan,
                                   const LoadSetting& setting) {
  std::vector<std::unique_ptr<Transport>> transports;
  for (int i = 0; i < plan.threads; ++i) {
    ASSIGN_OR_RETURN(transports.emplace_back(), setting.connect(i));
  }
  const TimePoint start = transports[0]->Now();
  std::vector<WorkerPlan> plans;
  for (int i = 0; i < plan.threads; ++i) {
    plans.push_back(PlanOf(plan, {.index = i, .count = plan.threads}, start));
  }
  WindowCollector collector(plan.threads);
  LoadResult result;
  std::atomic<bool> stop{false};
  const std::function<bool()> stopped = [&] {
    return stop || (setting.interrupted && setting.interrupted());
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    threads.emplace_back([&, i] {
      RunWorker(plans[i], *transports[i], collector.sink(i), stopped);
    });
  }
  TakeWindows(plan, setting, collector, stop, result);
  threads.clear();  // Joins.
  result.interrupted = setting.interrupted && setting.interrupted();
  SumUp(plan, collector.tail(), result);
  return result;
}

}  // namespace relu::load
