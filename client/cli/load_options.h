// The options of `reluctl load`.

#ifndef CLIENT_CLI_LOAD_OPTIONS_H_
#define CLIENT_CLI_LOAD_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "client/cli/output_form.h"
#include "client/cli/row_source.h"
#include "client/load/load_run.h"

namespace relu {

struct LoadOptions : RowOptions {
  LoadOptions() { input.clear(); }  // Rows are made up if none are given.

  // --- What is sent ---
  std::vector<std::string> models;  // "NAME" or "NAME=WEIGHT".
  std::string version;              // Of all of them; empty: the latest.
  std::int64_t made_up_rows = 64;
  std::int64_t batch_rows = 1;  // Rows in one request.
  std::vector<std::string> outputs;
  bool typed = false;  // Typed contents, not raw ones.
  int streams = 0;     // Of each connection; 0: unary calls.
  std::uint64_t seed = 1;

  // --- How fast ---
  std::vector<int> concurrency;  // More than one: a sweep.
  std::vector<double> rates;     // The same.
  std::string arrivals = "constant";
  std::string replay;  // A file of times.
  std::optional<double> peak_target_ms;
  double peak_percentile = 99;
  double peak_failed_percent = 0;
  std::size_t max_in_flight = 4096;
  int connections = 1;
  int threads = 1;

  // --- How long ---
  double warm_up_seconds = 1;
  std::optional<double> duration_seconds;  // nullopt: as fits the rest.
  std::optional<std::uint64_t> calls;
  double window_seconds = 1;
  std::optional<double> stable_percent;

  // --- What is checked ---
  bool check = false;               // Against answers without load.
  std::vector<std::string> expect;  // "NAME=FILE" of a .npy file each.
  double tolerance = 0;

  // --- What is shown ---
  std::string report_file;  // HTML.
  OutputForm form = OutputForm::kTable;
  bool quiet = false;  // No progress.
};

// The paces of the steps, one after the other; none for a search of the peak.
// INVALID_ARGUMENT, naming the options, if they do not go together or a file
// cannot be read.
absl::StatusOr<std::vector<load::Pace>> PacesOf(const LoadOptions& options);

// The plan of each step but for its pace and mix. INVALID_ARGUMENT, naming the
// option, if one is out of range.
absl::StatusOr<load::LoadPlan> PlanOf(const LoadOptions& options);

}  // namespace relu

#endif  // CLIENT_CLI_LOAD_OPTIONS_H_
