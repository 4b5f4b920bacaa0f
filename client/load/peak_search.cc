#include "client/load/peak_search.h"

#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"

#include "client/load/load_run.h"
#include "core/base/status_macros.h"

namespace relu::load {
namespace {

// Of the doublings and halvings.
constexpr double kMinPerSecond = 1;
constexpr double kMaxPerSecond = 1e8;

// The state of a search.
class Search {
 public:
  Search(const PeakSearch& search,
         const std::function<absl::StatusOr<LoadResult>(double)>& run)
      : search_(search), run_(run) {}

  absl::StatusOr<Peak> Run() {
    double rate = search_.first_per_second;
    std::optional<double> confirmed;  // The lowest bad rate that was retried.
    while (rate >= kMinPerSecond && rate <= kMaxPerSecond && !interrupted_) {
      RETURN_IF_ERROR(Try(rate));
      rate = good_.has_value() ? *good_ * 2 : rate / 2;
      if (good_.has_value() && bad_.has_value()) {
        if (*bad_ > *good_ * (1 + search_.precision)) {
          rate = std::sqrt(*good_ * *bad_);
        } else if (confirmed == bad_) {
          break;
        } else {
          // Once more: if it is good now, the peak is beyond it.
          confirmed = std::exchange(bad_, std::nullopt);
          rate = *confirmed;
        }
      }
    }
    peak_.per_second = good_;
    return std::move(peak_);
  }

 private:
  absl::Status Try(double rate) {
    for (int attempt = 0; attempt < 2 && !interrupted_; ++attempt) {
      ASSIGN_OR_RETURN(LoadResult result, run_(rate));
      interrupted_ = result.interrupted;
      const bool good = !interrupted_ && MeetsTarget(result, search_);
      peak_.probes.push_back(
          {.per_second = rate, .good = good, .result = std::move(result)});
      if (good) {
        good_ = rate;
        return absl::OkStatus();
      }
    }
    bad_ = interrupted_ ? bad_ : rate;
    return absl::OkStatus();
  }

  const PeakSearch& search_;
  const std::function<absl::StatusOr<LoadResult>(double)>& run_;
  bool interrupted_ = false;
  std::optional<double> good_;  // The highest, and
  std::optional<double> bad_;   // the lowest.
  Peak peak_;
};

}  // namespace

bool MeetsTarget(const LoadResult& result, const PeakSearch& search) {
  const Measurements& total = result.total;
  const auto failed = static_cast<double>(total.failed() + total.unsent);
  return total.good() > 0 &&
         failed <= search.failed_share *
                       (failed + static_cast<double>(total.good())) &&
         total.latency.Percentile(search.percentile) <= search.target;
}

absl::StatusOr<Peak> FindPeak(
    const PeakSearch& search,
    const std::function<absl::StatusOr<LoadResult>(double)>& run) {
  return Search(search, run).Run();
}

}  // namespace relu::load
