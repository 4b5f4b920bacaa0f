#include "client/cli/stats_command.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/console.h"
#include "client/cli/http_get.h"
#include "client/cli/interval_statistics.h"
#include "client/cli/metrics_text.h"
#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"
#include "client/load/socket.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kMetricsTimeout(500);
constexpr milliseconds kLookForInterrupt(20);
// Clears the screen of a terminal, and goes to its top.
constexpr char kClearScreen[] = "\x1b[H\x1b[2J";

absl::StatusOr<StatsSample> TakeSample(InferenceClient& client,
                                       const StatsOptions& options,
                                       const std::string& metrics) {
  StatsSample sample;
  ASSIGN_OR_RETURN(sample.statistics, client.ModelStatistics(options.model));
  sample.time = SteadyClock::now();
  // Not every server has them: the columns stay empty then.
  if (!metrics.empty()) {
    const auto page = HttpGet(metrics, "/metrics", kMetricsTimeout);
    sample.metrics = page.status();
    if (page.ok()) {
      sample.latencies = ReadHistograms(*page, "relu_request_seconds");
      sample.queued = ReadValues(*page, "relu_queue_requests");
    }
  }
  return sample;
}

// False: the user wants no more.
bool WaitUntil(SteadyClock::time_point time, const Console& console) {
  while (!console.interrupted()) {
    const auto left = time - SteadyClock::now();
    if (left <= SteadyClock::duration::zero()) {
      return true;
    }
    std::this_thread::sleep_for(
        std::min<SteadyClock::duration>(left, kLookForInterrupt));
  }
  return false;
}

std::string PercentileText(const StatsSample& before, const StatsSample& after,
                           const ModelKey& key, double percent) {
  const auto now = after.latencies.find(key);
  if (now == after.latencies.end()) {
    return "";
  }
  const auto then = before.latencies.find(key);
  const auto seconds = PercentileBetween(
      then == before.latencies.end() ? CumulativeCounts() : then->second,
      now->second, percent);
  return seconds.has_value() ? fmt::format("{:.0f}", *seconds * 1e6) : "";
}

// A line for the user if the metrics of `address` are not there; else empty.
std::string MetricsNote(const StatsSample& sample, const std::string& address) {
  return sample.metrics.ok()
             ? ""
             : ErrorLine(fmt::format(
                   "note: no percentiles and queues: metrics at \"{}\": {}; "
                   "another address is named with --metrics HOST:PORT",
                   address, std::string(sample.metrics.message())));
}

// Columns that JSON has as numbers.
std::vector<std::string> NumberColumns() {
  return {"requests/s", "rows/s",  "failed/s", "rows/batch",
          "queued",     "mean us", "queue us", "compute us",
          "p50 us",     "p90 us",  "p99 us"};
}

}  // namespace

std::string MetricsAddressOf(const std::string& server) {
  if (server.starts_with("unix:")) {
    return "";
  }
  const std::string authority = load::AuthorityOf(server);
  return fmt::format("{}:8002", authority.substr(0, authority.rfind(':')));
}

Listing StatsBetween(const StatsSample& before, const StatsSample& after) {
  Listing listing{.names = {"model", "version"}, .rows = {}};
  std::ranges::move(NumberColumns(), std::back_inserter(listing.names));
  const double seconds =
      std::chrono::duration<double>(after.time - before.time).count();
  const auto rate = [seconds](std::uint64_t count) {
    return fmt::format("{:.1f}",
                       seconds > 0 ? static_cast<double>(count) / seconds : 0);
  };
  for (const IntervalStatistics& model :
       StatisticsBetween(before.statistics, after.statistics)) {
    const ModelKey key(model.name, model.version);
    const auto queued = after.queued.find(key);
    listing.rows.push_back(
        {model.name, model.version, rate(model.requests), rate(model.rows),
         rate(model.failures), fmt::format("{:.1f}", RowsPerBatch(model)),
         queued == after.queued.end() ? ""
                                      : fmt::format("{:.0f}", queued->second),
         fmt::format("{:.0f}", model.total_us),
         fmt::format("{:.1f}", model.queue_us),
         fmt::format("{:.1f}", model.compute_input_us + model.compute_infer_us +
                                   model.compute_output_us),
         PercentileText(before, after, key, 50),
         PercentileText(before, after, key, 90),
         PercentileText(before, after, key, 99)});
  }
  return listing;
}

Outcome RunStats(InferenceClient& client, const std::string& server,
                 const StatsOptions& options, const OutputStyle& style,
                 Console& console) {
  console.catch_interrupts();
  const bool live = console.out_is_terminal && style.form == OutputForm::kTable;
  const std::int64_t count = options.count.value_or(live ? INT64_MAX : 1);
  const std::string metrics =
      options.metrics.empty() ? MetricsAddressOf(server) : options.metrics;
  const auto interval = std::chrono::duration_cast<SteadyClock::duration>(
      std::chrono::duration<double>(options.interval_seconds));
  auto before = TakeSample(client, options, metrics);
  Outcome outcome;
  for (std::int64_t i = 0; i < count && before.ok(); ++i) {
    if (!WaitUntil(before->time + interval, console)) {
      break;
    }
    auto after = TakeSample(client, options, metrics);
    if (!after.ok()) {
      return CallFailed(after.status());
    }
    const std::string text =
        FormatListing(StatsBetween(*before, *after), style, NumberColumns());
    if (live) {
      console.out << kClearScreen
                  << fmt::format("{}, every {} s; Ctrl-C ends it\n\n", server,
                                 options.interval_seconds)
                  << text << MetricsNote(*after, metrics) << std::flush;
    } else {
      outcome.out += text;
    }
    before = std::move(after);
  }
  if (!before.ok()) {
    return CallFailed(before.status());
  }
  outcome.err = MetricsNote(*before, metrics);
  return outcome;
}

}  // namespace relu
