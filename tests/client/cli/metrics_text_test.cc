#include "client/cli/metrics_text.h"

#include <cmath>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using testing::DoubleNear;
using testing::Optional;

constexpr char kPage[] =
    "# HELP relu_request_seconds From arrival to answer.\n"
    "# TYPE relu_request_seconds histogram\n"
    "relu_request_seconds_bucket{model=\"a\",version=\"1\",le=\"0.001\"} 10\n"
    "relu_request_seconds_bucket{model=\"a\",version=\"1\",le=\"0.002\"} 30\n"
    "relu_request_seconds_bucket{model=\"a\",version=\"1\",le=\"+Inf\"} 40\n"
    "relu_request_seconds_sum{model=\"a\",version=\"1\"} 0.5\n"
    "relu_request_seconds_bucket{model=\"b\\\"\\n\",version=\"2\",le=\"1\"} 5 "
    "1700000000\n"
    "relu_request_seconds_bucket{model=\"c\",le=\"x\"} 1\n"
    "relu_request_seconds_bucket{model=\"c\n"
    "relu_request_seconds_bucket{model=\"c\"} nothing\n"
    "relu_queue_requests{model=\"a\",version=\"1\"} 7\n"
    "relu_queue_requests_of_another_name 9\n"
    "relu_up 1";

TEST(MetricsTextTest, HistogramsAreThoseOfTheirName) {
  const auto histograms = ReadHistograms(kPage, "relu_request_seconds");
  ASSERT_EQ(histograms.size(), 2U);
  const CumulativeCounts& counts = histograms.at({"a", "1"});
  EXPECT_EQ(counts.at(0.001), 10);
  EXPECT_EQ(counts.at(std::numeric_limits<double>::infinity()), 40);
  EXPECT_EQ(histograms.at({"b\"\n", "2"}).at(1), 5);
}

TEST(MetricsTextTest, ValuesAreThoseOfTheirName) {
  const auto values = ReadValues(kPage, "relu_queue_requests");
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(values.at({"a", "1"}), 7);
  EXPECT_EQ(ReadValues(kPage, "relu_up").at({"", ""}), 1);
  EXPECT_TRUE(ReadValues("", "relu_up").empty());
}

TEST(MetricsTextTest, PercentilesAreInterpolatedWithinTheirBucket) {
  const CumulativeCounts after = {{0.001, 10}, {0.002, 30}, {INFINITY, 40}};
  EXPECT_THAT(PercentileBetween({}, after, 50),
              Optional(DoubleNear(0.0015, 1e-9)));
  EXPECT_THAT(PercentileBetween({}, after, 25),
              Optional(DoubleNear(0.001, 1e-9)));
  EXPECT_THAT(PercentileBetween({}, after, 99),
              Optional(DoubleNear(0.002, 1e-9)));
}

TEST(MetricsTextTest, OnlyWhatWasCountedInBetweenMatters) {
  const CumulativeCounts before = {{0.001, 10}, {0.002, 30}, {INFINITY, 40}};
  CumulativeCounts after = before;
  EXPECT_EQ(PercentileBetween(before, after, 50), std::nullopt);
  after[0.002] += 10;
  after[INFINITY] += 10;
  EXPECT_THAT(PercentileBetween(before, after, 50),
              Optional(DoubleNear(0.0015, 1e-9)));
  EXPECT_EQ(PercentileBetween({}, {}, 50), std::nullopt);
}

}  // namespace
}  // namespace relu
