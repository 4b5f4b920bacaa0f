// FindPeak(): the highest rate at which a server still answers in time.

#ifndef CLIENT_LOAD_PEAK_SEARCH_H_
#define CLIENT_LOAD_PEAK_SEARCH_H_

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "client/load/load_run.h"

namespace relu::load {

struct PeakSearch {
  // A rate is good if this percentile of the latency, from the intended start,
  // is at most `target`, and at most `failed_share` of the calls failed.
  double percentile = 99;
  std::chrono::nanoseconds target = std::chrono::milliseconds(10);
  double failed_share = 0;
  double first_per_second = 1000;  // Where the search begins.
  double precision = 0.02;  // It ends when the rates differ by less than this.
};

// One rate that was tried.
struct PeakProbe {
  double per_second = 0;
  bool good = false;
  LoadResult result;
};

struct Peak {
  // nullopt: even the lowest rate that was tried is too much.
  std::optional<double> per_second;
  std::vector<PeakProbe> probes;  // In the order they were tried.
};

// Doubles or halves the rate until it has a good and a bad one, then halves the
// distance of these. As other programs may disturb a run, a bad rate is tried
// twice, and the one that the search ends at again at the end. Errors are those
// of `run`; ends early after a run that was interrupted.
absl::StatusOr<Peak> FindPeak(
    const PeakSearch& search,
    const std::function<absl::StatusOr<LoadResult>(double per_second)>& run);

// What a rate must be to be good.
bool MeetsTarget(const LoadResult& result, const PeakSearch& search);

}  // namespace relu::load

#endif  // CLIENT_LOAD_PEAK_SEARCH_H_
