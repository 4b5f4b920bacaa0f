#include "client/load/arrivals.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu::load {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<nanoseconds> Take(Arrivals arrivals, int count) {
  std::vector<nanoseconds> times;
  for (int i = 0; i < count; ++i) {
    times.push_back(arrivals.Next().value());
  }
  return times;
}

TEST(ArrivalsTest, ConstantOnesAreEvenlySpacedAndDoNotDrift) {
  // A gap that is no whole number of nanoseconds.
  const auto times = Take(Arrivals::Constant(3, {}), 3'000'001);
  EXPECT_EQ(times[0], nanoseconds(0));
  EXPECT_EQ(times[1], nanoseconds(333'333'333));
  EXPECT_EQ(times[3'000'000], seconds(1'000'000));
}

TEST(ArrivalsTest, ThreadsTakeTurnsInConstantOnes) {
  EXPECT_THAT(Take(Arrivals::Constant(10, {.index = 0, .count = 2}), 2),
              ElementsAre(nanoseconds(0), nanoseconds(200'000'000)));
  EXPECT_THAT(Take(Arrivals::Constant(10, {.index = 1, .count = 2}), 2),
              ElementsAre(nanoseconds(100'000'000), nanoseconds(300'000'000)));
}

TEST(ArrivalsTest, PoissonOnesHaveExponentialGaps) {
  constexpr int kCount = 200'000;
  const auto times = Take(Arrivals::Poisson(1'000, {}, /*seed=*/1), kCount);
  double sum = 0;
  double sum_of_squares = 0;
  nanoseconds last{0};
  int longer_than_mean = 0;
  for (const nanoseconds time : times) {
    const double gap = std::chrono::duration<double>(time - last).count();
    last = time;
    sum += gap;
    sum_of_squares += gap * gap;
    longer_than_mean += gap > 0.001 ? 1 : 0;
  }
  const double mean = sum / kCount;
  const double variance = sum_of_squares / kCount - mean * mean;
  EXPECT_NEAR(mean, 0.001, 0.00001);
  // The deviation of an exponential distribution is its mean; 1/e exceed it.
  EXPECT_NEAR(std::sqrt(variance) / mean, 1.0, 0.02);
  EXPECT_NEAR(longer_than_mean / double{kCount}, std::exp(-1.0), 0.01);
}

TEST(ArrivalsTest, ThreadsShareThePoissonRateAndDrawOnTheirOwn) {
  const auto first =
      Take(Arrivals::Poisson(1'000, {.index = 0, .count = 4}, 1), 50'000);
  const auto second =
      Take(Arrivals::Poisson(1'000, {.index = 1, .count = 4}, 1), 50'000);
  EXPECT_NE(first[0], second[0]);
  EXPECT_NEAR(std::chrono::duration<double>(first.back()).count(), 200, 5);
}

TEST(ArrivalsTest, ReplayEndsAfterTheLastTime) {
  const auto times = std::make_shared<const std::vector<nanoseconds>>(
      std::vector{nanoseconds(0), nanoseconds(5), nanoseconds(5)});
  Arrivals first = Arrivals::Replay(times, {.index = 0, .count = 2});
  EXPECT_EQ(first.Next(), nanoseconds(0));
  EXPECT_EQ(first.Next(), nanoseconds(5));
  EXPECT_EQ(first.Next(), std::nullopt);
  Arrivals second = Arrivals::Replay(times, {.index = 1, .count = 2});
  EXPECT_EQ(second.Next(), nanoseconds(5));
  EXPECT_EQ(second.Next(), std::nullopt);
}

TEST(ParseTimestampsTest, TakesTimesFromTheFirstOn) {
  const auto times = ParseTimestamps(
      "# a log\n1700000000.5\n\n 1700000000.75\r\n1700000002.5");
  ASSERT_TRUE(times.ok()) << times.status();
  EXPECT_THAT(*times, ElementsAre(nanoseconds(0), nanoseconds(250'000'000),
                                  nanoseconds(2'000'000'000)));
}

TEST(ParseTimestampsTest, NamesTheLineThatIsWrong) {
  for (const std::string& text : std::vector<std::string>{
           "1\nx", "1\n0.5", "1\n2 3", "1\nnan", "1\n1e10", "1\ninf"}) {
    const auto times = ParseTimestamps(text);
    EXPECT_EQ(times.status().code(), absl::StatusCode::kInvalidArgument)
        << text;
    EXPECT_THAT(std::string(times.status().message()), HasSubstr("line 2"));
  }
  EXPECT_EQ(ParseTimestamps("# nothing\n").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu::load
