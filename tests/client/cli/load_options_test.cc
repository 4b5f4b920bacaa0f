#include "client/cli/load_options.h"

#include <chrono>
#include <cmath>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/load/load_run.h"
#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

std::string PacesError(const LoadOptions& options) {
  const auto paces = PacesOf(options);
  EXPECT_EQ(paces.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(paces.status().message());
}

TEST(LoadOptionsTest, OneCallInFlightForEachThreadIsTheDefault) {
  LoadOptions options;
  options.threads = 3;
  const auto paces = PacesOf(options).value();
  ASSERT_EQ(paces.size(), 1U);
  EXPECT_EQ(std::get<load::Concurrency>(paces[0]).calls, 3);
}

TEST(LoadOptionsTest, ListsAreSweeps) {
  LoadOptions options;
  options.concurrency = {1, 8};
  EXPECT_EQ(PacesOf(options)->size(), 2U);
  options.concurrency.clear();
  options.rates = {10, 20, 30};
  options.arrivals = "poisson";
  const auto paces = PacesOf(options).value();
  ASSERT_EQ(paces.size(), 3U);
  EXPECT_EQ(std::get<load::Rate>(paces[1]).per_second, 20);
  EXPECT_TRUE(std::get<load::Rate>(paces[1]).poisson);
}

TEST(LoadOptionsTest, PacesThatDoNotGoTogetherAreRefused) {
  LoadOptions both;
  both.concurrency = {1};
  both.rates = {1};
  EXPECT_THAT(PacesError(both), HasSubstr("--concurrency"));
  LoadOptions peak;
  peak.peak_target_ms = 5;
  EXPECT_TRUE(PacesOf(peak)->empty());
  peak.rates = {100};
  EXPECT_TRUE(PacesOf(peak)->empty());
  peak.rates = {100, 200};
  EXPECT_THAT(PacesError(peak), HasSubstr("--find-peak"));
  LoadOptions threads;
  threads.threads = 4;
  threads.concurrency = {3};
  EXPECT_THAT(PacesError(threads), HasSubstr("4 threads"));
}

TEST(LoadOptionsTest, ReplayReadsItsFile) {
  const TemporaryFolder folder;
  LoadOptions options;
  options.replay = folder.Write("times", "10\n10.5\n");
  const auto paces = PacesOf(options).value();
  EXPECT_EQ(std::get<load::Replayed>(paces[0]).times->at(1), milliseconds(500));
  EXPECT_EQ(PlanOf(options)->warm_up, seconds(0));
  EXPECT_GT(PlanOf(options)->duration, std::chrono::hours(24));
  options.replay = folder.Write("times", "10\nx\n");
  EXPECT_THAT(PacesError(options), HasSubstr("line 2"));
  options.replay = "no-such-file";
  EXPECT_EQ(PacesOf(options).status().code(), absl::StatusCode::kNotFound);
}

TEST(LoadOptionsTest, DurationFitsTheKindOfRun) {
  LoadOptions options;
  EXPECT_EQ(PlanOf(options)->duration, seconds(10));
  options.stable_percent = 5;
  EXPECT_EQ(PlanOf(options)->duration, seconds(60));
  EXPECT_EQ(PlanOf(options)->stability->tolerance, 0.05);
  options.duration_seconds = 0.5;
  EXPECT_EQ(PlanOf(options)->duration, milliseconds(500));
  LoadOptions peak;
  peak.peak_target_ms = 5;
  EXPECT_EQ(PlanOf(peak)->duration, seconds(3));
  LoadOptions counted;
  counted.calls = 100;
  EXPECT_GT(PlanOf(counted)->duration, std::chrono::hours(24));
}

TEST(LoadOptionsTest, TimesOutOfRangeAreRefused) {
  for (const double bad : {-1.0, 1e9, double{NAN}}) {
    LoadOptions options;
    options.warm_up_seconds = bad;
    EXPECT_THAT(std::string(PlanOf(options).status().message()),
                HasSubstr("--warmup"));
    options = {};
    options.duration_seconds = bad;
    EXPECT_THAT(std::string(PlanOf(options).status().message()),
                HasSubstr("--duration"));
    options = {};
    options.window_seconds = bad;
    EXPECT_THAT(std::string(PlanOf(options).status().message()),
                HasSubstr("--window"));
  }
}

}  // namespace
}  // namespace relu
