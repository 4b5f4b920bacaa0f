// IntervalStatistics: what a server says (ModelStatistics) that its models did
// between two moments.

#ifndef CLIENT_CLI_INTERVAL_STATISTICS_H_
#define CLIENT_CLI_INTERVAL_STATISTICS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "client/server_info.h"

namespace relu {

struct IntervalStatistics {
  std::string name;
  std::string version;
  std::uint64_t requests = 0;  // That succeeded.
  std::uint64_t failures = 0;
  std::uint64_t rows = 0;
  std::uint64_t batches = 0;
  // Means of a request, in microseconds.
  double total_us = 0;
  double queue_us = 0;
  double compute_input_us = 0;
  double compute_infer_us = 0;
  double compute_output_us = 0;
  // How many batches there were of each size: sizes and counts.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> batch_sizes;
};

// For each model and version of `after`. One that is not in `before`, or has
// counted less since (it was loaded again), counts from 0.
std::vector<IntervalStatistics> StatisticsBetween(
    const std::vector<ModelStatistics>& before,
    const std::vector<ModelStatistics>& after);

// Rows of a batch, on average; 0 if there was none.
double RowsPerBatch(const IntervalStatistics& figures);

}  // namespace relu

#endif  // CLIENT_CLI_INTERVAL_STATISTICS_H_
