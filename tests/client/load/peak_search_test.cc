#include "client/load/peak_search.h"

#include <chrono>
#include <cmath>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace relu::load {
namespace {

using std::chrono::milliseconds;

// A run whose calls all took `latency`.
LoadResult Took(milliseconds latency) {
  LoadResult result;
  result.total.latency.Record(latency);
  result.total.codes[0] = 1;
  return result;
}

// A server that is in time up to `capacity`.
auto ServerOf(double capacity) {
  return [capacity](double rate) -> absl::StatusOr<LoadResult> {
    return Took(milliseconds(rate <= capacity ? 5 : 500));
  };
}

TEST(PeakSearchTest, FindsThePeakFromBelowAndFromAbove) {
  for (const double first : {10.0, 1'000.0, 1e6}) {
    const auto peak = FindPeak({.first_per_second = first, .precision = 0.02},
                               ServerOf(12'345));
    ASSERT_TRUE(peak.ok()) << peak.status();
    ASSERT_TRUE(peak->per_second.has_value());
    EXPECT_LE(*peak->per_second, 12'345);
    EXPECT_GE(*peak->per_second, 12'345 / 1.0201);
  }
}

TEST(PeakSearchTest, TriesABadRateTwice) {
  int disturbed = 0;
  const auto peak = FindPeak(
      {.first_per_second = 1'000, .precision = 0.1},
      [&disturbed](double rate) -> absl::StatusOr<LoadResult> {
        // The first run at each rate is disturbed.
        return Took(
            milliseconds(rate > 5'000 || ++disturbed % 2 == 1 ? 500 : 5));
      });
  ASSERT_TRUE(peak.ok()) << peak.status();
  EXPECT_GE(peak->per_second.value(), 4'500);
}

TEST(PeakSearchTest, GoesOnIfTheRateThatItEndsAtIsGoodAfterAll) {
  int runs = 0;
  const auto peak = FindPeak(
      {.first_per_second = 1'000, .precision = 0.1},
      [&runs](double rate) -> absl::StatusOr<LoadResult> {
        // The first runs are all disturbed: from 1000 down to 125.
        return Took(milliseconds(rate > 5'000 || ++runs <= 8 ? 500 : 5));
      });
  ASSERT_TRUE(peak.ok()) << peak.status();
  EXPECT_GE(peak->per_second.value(), 4'500);
  EXPECT_LE(peak->per_second.value(), 5'000);
}

TEST(PeakSearchTest, HasNoPeakIfNoRateIsGood) {
  const auto peak = FindPeak({.first_per_second = 8}, ServerOf(0));
  ASSERT_TRUE(peak.ok()) << peak.status();
  EXPECT_FALSE(peak->per_second.has_value());
  EXPECT_FALSE(peak->probes.empty());
}

TEST(PeakSearchTest, EndsWithARunThatWasInterrupted) {
  int runs = 0;
  const auto peak = FindPeak({}, [&runs](double) -> absl::StatusOr<LoadResult> {
    LoadResult result = Took(milliseconds(1));
    result.interrupted = ++runs == 3;
    return result;
  });
  ASSERT_TRUE(peak.ok()) << peak.status();
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(peak->per_second, 2'000);
}

TEST(PeakSearchTest, ErrorsOfARunEndIt) {
  EXPECT_EQ(FindPeak({},
                     [](double) -> absl::StatusOr<LoadResult> {
                       return absl::UnavailableError("gone");
                     })
                .status(),
            absl::UnavailableError("gone"));
}

TEST(PeakSearchTest, TargetIsMissedByLatencyFailuresAndUnsentCalls) {
  const PeakSearch search{.target = milliseconds(10), .failed_share = 0.4};
  EXPECT_TRUE(MeetsTarget(Took(milliseconds(9)), search));
  EXPECT_FALSE(MeetsTarget(Took(milliseconds(11)), search));
  LoadResult failed = Took(milliseconds(9));
  failed.total.codes[14] = 1;  // UNAVAILABLE: half of the calls.
  EXPECT_FALSE(MeetsTarget(failed, search));
  EXPECT_TRUE(
      MeetsTarget(failed, {.target = milliseconds(10), .failed_share = 0.5}));
  LoadResult unsent = Took(milliseconds(9));
  unsent.total.unsent = 1;
  EXPECT_FALSE(MeetsTarget(unsent, search));
  EXPECT_FALSE(MeetsTarget(LoadResult(), search));
}

}  // namespace
}  // namespace relu::load
