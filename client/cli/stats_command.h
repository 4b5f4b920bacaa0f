// `reluctl stats`: what the models of a server are doing, again and again.

#ifndef CLIENT_CLI_STATS_COMMAND_H_
#define CLIENT_CLI_STATS_COMMAND_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "client/cli/console.h"
#include "client/cli/interval_statistics.h"
#include "client/cli/metrics_text.h"
#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"

namespace relu {

struct StatsOptions {
  std::string model = {};  // Empty: all.
  double interval_seconds = 1;
  std::optional<std::int64_t> count =
      {};  // Of intervals; nullopt: see RunStats().
  // Where the server's metrics are, for percentiles and queues: "host:port".
  // Empty: port 8002 of the server's host.
  std::string metrics = {};
};

// Redraws a table for each interval until the user ends it, or options.count of
// them. If nobody looks (no terminal, or another form), prints one interval and
// ends. Metrics that cannot be read are a note, not an error.
Outcome RunStats(InferenceClient& client, const std::string& server,
                 const StatsOptions& options, const OutputStyle& style,
                 Console& console);

// All that a server says at one moment.
struct StatsSample {
  std::chrono::steady_clock::time_point time;
  std::vector<ModelStatistics> statistics;
  std::map<ModelKey, CumulativeCounts> latencies;  // Seconds.
  std::map<ModelKey, double> queued;               // Requests that wait.
  absl::Status metrics;  // Why these two are not known; OK: they are.
};

// What happened between two samples, a row for each model.
Listing StatsBetween(const StatsSample& before, const StatsSample& after);

// "host:8002" for the server of a target; empty if it has no host.
std::string MetricsAddressOf(const std::string& server);

}  // namespace relu

#endif  // CLIENT_CLI_STATS_COMMAND_H_
