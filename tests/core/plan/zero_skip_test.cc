#include "core/plan/zero_skip.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"

namespace relu {
namespace {

TEST(ZeroSkipLimitsTest, NeverTakesNoEntries) {
  EXPECT_EQ(ZeroSkipLimits::Never().MaxEntries(1), 0U);
  EXPECT_EQ(ZeroSkipLimits::Never().MaxEntries(300), 0U);
}

TEST(ZeroSkipLimitsTest, AlwaysTakesAllOfTheLargestLayers) {
  EXPECT_GE(ZeroSkipLimits::Always().MaxEntries(1), 1U << 30U);
  EXPECT_GE(ZeroSkipLimits::Always().MaxEntries(300), 300U << 22U);
}

TEST(ZeroSkipLimitsTest, LimitIsWhereBothWaysCostTheSame) {
  // 7 % are kept as a margin: 1000 ns are 930.
  const DenseCosts costs{.dense = {1000, 1500, 2000, 4000, 8000},
                         .sparse_row = 60,
                         .sparse_entry = 3};
  const ZeroSkipLimits limits = ZeroSkipLimits::FromCosts(costs, /*k=*/1000);
  EXPECT_EQ(limits.MaxEntries(1), 290U);    // (930 - 60) / 3
  EXPECT_EQ(limits.MaxEntries(2), 425U);    // (1395 - 120) / 3
  EXPECT_EQ(limits.MaxEntries(3), 482U);    // 1750 ns: (1627 - 180) / 3
  EXPECT_EQ(limits.MaxEntries(16), 2160U);  // (7440 - 960) / 3
  EXPECT_EQ(limits.MaxEntries(160), 21600U);
}

TEST(ZeroSkipLimitsTest, LimitIsAtMostAllInputs) {
  const DenseCosts costs{.dense = {1000, 2000, 4000, 8000, 16000},
                         .sparse_row = 0,
                         .sparse_entry = 1};
  EXPECT_EQ(ZeroSkipLimits::FromCosts(costs, 30).MaxEntries(1), 30U);
  EXPECT_EQ(ZeroSkipLimits::FromCosts(costs, 30).MaxEntries(4), 120U);
}

TEST(ZeroSkipLimitsTest, HardlyAnyEntriesAreNotWorthCounting) {
  // 40 entries of 1000 would do, 4 %.
  const DenseCosts costs{.dense = {1000, 1000, 1000, 1000, 1000},
                         .sparse_row = 850,
                         .sparse_entry = 3};
  EXPECT_EQ(ZeroSkipLimits::FromCosts(costs, 1000).MaxEntries(1), 0U);
}

TEST(ZeroSkipLimitsTest, WhatIsNotWorthItForOneRowIsNotForMore) {
  // As if something had disturbed the measurement of two rows.
  const DenseCosts costs{.dense = {1000, 90000, 4000, 8000, 16000},
                         .sparse_row = 1000,
                         .sparse_entry = 1};
  const ZeroSkipLimits limits = ZeroSkipLimits::FromCosts(costs, 1000);
  EXPECT_EQ(limits.MaxEntries(1), 0U);
  EXPECT_EQ(limits.MaxEntries(2), 0U);
}

TEST(ZeroSkipLimitsTest, CountingThatCostsTooMuchIsNotDone) {
  // 3 % of the time is the most: for one row of 1000 ns, but not for two.
  const DenseCosts costs{.dense = {1000, 1500, 2000, 4000, 8000},
                         .count_row = 30,
                         .sparse_row = 0,
                         .sparse_entry = 1};
  const ZeroSkipLimits limits = ZeroSkipLimits::FromCosts(costs, 1000);
  EXPECT_GT(limits.MaxEntries(1), 0U);
  EXPECT_EQ(limits.MaxEntries(2), 0U);
  EXPECT_EQ(limits.MaxEntries(300), 0U);
}

TEST(MeasureDenseCostsTest, EveryCostOfEveryLayerIsMeasured) {
  AlignedBuffer memory(70 * kernels::RowStride(40) * sizeof(float));
  std::vector<kernels::PackedDense> layers;
  for (const std::size_t k : {0U, 1U, 70U}) {
    layers.push_back({.k = k,
                      .n = 40,
                      .weights = memory.As<float>().data(),
                      .bias = memory.As<float>().data(),
                      .row_weights = memory.As<float>().data(),
                      .row_stride = kernels::RowStride(40)});
  }
  const std::vector<DenseCosts> costs = MeasureDenseCosts(layers);
  ASSERT_EQ(costs.size(), 3U);
  for (const DenseCosts& cost : costs) {
    for (const double dense : cost.dense) {
      EXPECT_TRUE(std::isfinite(dense) && dense > 0) << dense;
    }
  }
  EXPECT_GT(costs[2].sparse_entry, 0);
  EXPECT_GE(costs[2].sparse_row, 0);
  EXPECT_GT(costs[2].count_row, 0);
}

TEST(MeasureDenseCostsTest, NetworkWithoutLayersCostsNothing) {
  EXPECT_TRUE(MeasureDenseCosts({}).empty());
}

}  // namespace
}  // namespace relu
