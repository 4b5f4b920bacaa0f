#include "client/load/histogram.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace relu::load {
namespace {

using std::chrono::nanoseconds;

TEST(HistogramTest, IsZeroWhenEmpty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), nanoseconds(0));
  EXPECT_EQ(histogram.max(), nanoseconds(0));
  EXPECT_EQ(histogram.mean().count(), 0.0);
  EXPECT_EQ(histogram.Percentile(99), nanoseconds(0));
  EXPECT_TRUE(histogram.Buckets().empty());
}

TEST(HistogramTest, EveryDurationIsKnownWithinItsPrecision) {
  // Around each power of two, where buckets change their width.
  for (int bit = 0; bit < 42; ++bit) {
    for (const std::int64_t offset : {-1, 0, 1}) {
      const std::int64_t value = (std::int64_t{1} << bit) + offset;
      Histogram histogram;
      histogram.Record(nanoseconds(value));
      const auto buckets = histogram.Buckets();
      ASSERT_EQ(buckets.size(), 1U);
      EXPECT_LE(buckets[0].lowest, nanoseconds(value));
      EXPECT_GE(buckets[0].highest, nanoseconds(value));
      const double width =
          static_cast<double>((buckets[0].highest - buckets[0].lowest).count());
      EXPECT_LE(width, static_cast<double>(value) /
                           static_cast<double>(Histogram::kBucketsPerOctave));
    }
  }
}

TEST(HistogramTest, BucketsFollowEachOtherWithoutGapOrOverlap) {
  Histogram histogram;
  for (std::int64_t value = 0; value < 20'000; ++value) {
    histogram.Record(nanoseconds(value));
  }
  nanoseconds next{0};
  for (const Histogram::Bucket& bucket : histogram.Buckets()) {
    EXPECT_EQ(bucket.lowest, next);
    next = bucket.highest + nanoseconds(1);
  }
  EXPECT_GE(next, nanoseconds(20'000));
}

TEST(HistogramTest, PercentilesAreThoseOfTheSortedValues) {
  std::mt19937_64 random(5);
  std::lognormal_distribution<double> distribution(12.0, 2.0);
  std::vector<std::int64_t> values;
  Histogram histogram;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<std::int64_t>(distribution(random)));
    histogram.Record(nanoseconds(values.back()));
  }
  std::ranges::sort(values);
  for (const double percent :
       {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank = std::max(
        std::size_t{1},
        static_cast<std::size_t>(std::ceil(
            percent / 100 * static_cast<double>(values.size()) - 1e-6)));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto got = static_cast<double>(histogram.Percentile(percent).count());
    EXPECT_GE(got, exact) << percent;
    EXPECT_LE(got, exact * (1 + 1.0 / 1024)) << percent;
  }
  EXPECT_EQ(histogram.min().count(), values.front());
  EXPECT_EQ(histogram.max().count(), values.back());
}

TEST(HistogramTest, AddingIsAsIfAllHadBeenRecordedInOne) {
  Histogram a;
  Histogram b;
  Histogram both;
  for (int i = 1; i < 5'000; ++i) {
    Histogram& part = i % 3 == 0 ? a : b;
    part.Record(nanoseconds(i * 977));
    both.Record(nanoseconds(i * 977));
  }
  a.Add(b);
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.min(), both.min());
  EXPECT_EQ(a.max(), both.max());
  EXPECT_DOUBLE_EQ(a.mean().count(), both.mean().count());
  EXPECT_EQ(a.Percentile(73), both.Percentile(73));
  EXPECT_EQ(a.Buckets().size(), both.Buckets().size());
}

TEST(HistogramTest, AddingAnEmptyOneChangesNothing) {
  Histogram histogram;
  histogram.Record(nanoseconds(7));
  histogram.Add(Histogram());
  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.min(), nanoseconds(7));
  EXPECT_EQ(histogram.max(), nanoseconds(7));
}

TEST(HistogramTest, DurationsOutOfRangeCountAsItsEnds) {
  Histogram histogram;
  histogram.Record(nanoseconds(-5));
  histogram.Record(nanoseconds::max());
  EXPECT_EQ(histogram.min(), nanoseconds(0));
  EXPECT_EQ(histogram.max(), Histogram::kMax);
  EXPECT_EQ(histogram.count(), 2U);
}

TEST(HistogramTest, ClearForgetsAll) {
  Histogram histogram;
  histogram.Record(nanoseconds(1'000'000));
  histogram.Clear();
  EXPECT_EQ(histogram.count(), 0U);
  histogram.Record(nanoseconds(3));
  EXPECT_EQ(histogram.Percentile(100), nanoseconds(3));
}

}  // namespace
}  // namespace relu::load
