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
  // Of 800 inputs, 1 entry costs 1 ns up to 400 and 2 ns beyond. 10 % are kept
  // as a margin: 1000 ns are 900.
  const DenseCosts costs{.dense = {1000, 1000, 1600, 3200, 4800},
                         .sparse_alone = {350, 650, 1450},
                         .sparse_of_several = {350, 650, 1450}};
  const ZeroSkipLimits limits = ZeroSkipLimits::FromCosts(costs, /*k=*/800);
  EXPECT_EQ(limits.MaxEntries(1), 525U);  // 400 + (900 - 650) / 2
  EXPECT_EQ(limits.MaxEntries(2), 400U);  // 2 rows of 400 - (650 - 450)
  EXPECT_EQ(limits.MaxEntries(3), 420U);  // 3 rows of 400 - (650 - 390)
  EXPECT_EQ(limits.MaxEntries(4), 440U);  // 4 rows of 400 - (650 - 360)
  EXPECT_EQ(limits.MaxEntries(160), 10 * limits.MaxEntries(16));
}

TEST(ZeroSkipLimitsTest, RowOfSeveralHasItsOwnCost) {
  // 1 entry costs 1 ns alone, and half of that with others.
  const DenseCosts costs{.dense = {1000, 1000, 1000, 1000, 1000},
                         .sparse_alone = {100, 400, 800},
                         .sparse_of_several = {50, 200, 400}};
  const ZeroSkipLimits limits = ZeroSkipLimits::FromCosts(costs, /*k=*/800);
  EXPECT_EQ(limits.MaxEntries(1), 800U);
  EXPECT_EQ(limits.MaxEntries(4), 1800U);  // 4 rows of 225 ns
}

TEST(ZeroSkipLimitsTest, RowsThatAreFasterAloneAreComputedOneByOne) {
  const DenseCosts costs{.dense = {1000, 1000, 1000, 1000, 1000},
                         .sparse_alone = {100, 400, 800},
                         .sparse_of_several = {200, 400, 800}};
  const ZeroSkipLimits limits = ZeroSkipLimits::FromCosts(costs, /*k=*/800);
  EXPECT_TRUE(limits.OneByOne());
  EXPECT_EQ(limits.MaxEntries(4), 900U);  // 4 rows of 225 ns, each alone
}

TEST(ZeroSkipLimitsTest, RowsThatAreFasterTogetherAreNotComputedOneByOne) {
  const DenseCosts costs{.dense = {1000, 1000, 1000, 1000, 1000},
                         .sparse_alone = {100, 400, 800},
                         .sparse_of_several = {90, 400, 800}};
  EXPECT_FALSE(ZeroSkipLimits::FromCosts(costs, /*k=*/800).OneByOne());
}

TEST(ZeroSkipLimitsTest, LimitIsAtMostAllInputs) {
  const DenseCosts costs{.dense = {1000, 2000, 4000, 8000, 16000},
                         .sparse_alone = {10, 40, 60},
                         .sparse_of_several = {10, 40, 60}};
  EXPECT_EQ(ZeroSkipLimits::FromCosts(costs, 30).MaxEntries(1), 30U);
  EXPECT_EQ(ZeroSkipLimits::FromCosts(costs, 30).MaxEntries(4), 120U);
}

TEST(ZeroSkipLimitsTest, EntriesAreNeverFree) {
  // As if something had disturbed the measurement of few: by a line through
  // the times, no entry at all could take 300 ns.
  const DenseCosts costs{.dense = {300, 300, 300, 300, 300},
                         .sparse_alone = {400, 400, 600}};
  EXPECT_EQ(ZeroSkipLimits::FromCosts(costs, 800).MaxEntries(1), 140U);
}

TEST(SparseCostTest, LiesOnLinesThroughWhatWasMeasured) {
  const DenseCosts costs{.count_row = 100, .sparse_alone = {350, 650, 1450}};
  EXPECT_EQ(SparseCost(costs, /*k=*/800, 100), 350);
  EXPECT_EQ(SparseCost(costs, 800, 200), 450);
  EXPECT_EQ(SparseCost(costs, 800, 400), 650);
  EXPECT_EQ(SparseCost(costs, 800, 800), 1450);
  EXPECT_EQ(SparseCost(costs, 800, 600), 1050);
}

TEST(SparseCostTest, IsNeverLessThanCounting) {
  const DenseCosts costs{.count_row = 100, .sparse_alone = {10, 90, 200}};
  EXPECT_EQ(SparseCost(costs, /*k=*/800, 0), 100);
}

TEST(ZeroSkipLimitsTest, LayerThatCannotSkipNeverDoes) {
  const DenseCosts costs{.dense = {1000, 2000, 4000, 8000, 16000}};
  EXPECT_EQ(ZeroSkipLimits::FromCosts(costs, 1000).MaxEntries(1), 0U);
}

TEST(ZeroSkipLimitsTest, LayerWithoutInputsNeverSkips) {
  const DenseCosts costs{.dense = {10, 20, 40, 80, 160},
                         .sparse_alone = {1, 1, 1}};
  EXPECT_EQ(ZeroSkipLimits::FromCosts(costs, 0).MaxEntries(1), 0U);
}

TEST(ZeroSkipLimitsTest, HardlyAnyEntriesAreNotWorthCounting) {
  // 32 entries of 800 would do, 4 %.
  const DenseCosts costs{.dense = {1000, 1000, 1000, 1000, 1000},
                         .sparse_alone = {1600, 1722, 1900}};
  EXPECT_EQ(ZeroSkipLimits::FromCosts(costs, 800).MaxEntries(1), 0U);
}

TEST(ZeroSkipLimitsTest, WhatIsNotWorthItForOneRowIsNotForMore) {
  // As if something had disturbed the measurement of two rows.
  const DenseCosts costs{.dense = {1000, 90000, 4000, 8000, 16000},
                         .sparse_alone = {1600, 1722, 1900}};
  const ZeroSkipLimits limits = ZeroSkipLimits::FromCosts(costs, 800);
  EXPECT_EQ(limits.MaxEntries(1), 0U);
  EXPECT_EQ(limits.MaxEntries(2), 0U);
}

TEST(ZeroSkipLimitsTest, CountingThatCostsTooMuchIsNotDone) {
  // 5 % of the time is the most: for one row of 1000 ns, but not for two.
  const DenseCosts costs{.dense = {1000, 1500, 2000, 4000, 8000},
                         .count_row = 50,
                         .sparse_alone = {100, 400, 800},
                         .sparse_of_several = {100, 400, 800}};
  const ZeroSkipLimits limits = ZeroSkipLimits::FromCosts(costs, 800);
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
  for (const auto& sparse :
       {costs[2].sparse_alone, costs[2].sparse_of_several}) {
    for (const double cost : sparse) {
      EXPECT_TRUE(std::isfinite(cost) && cost > 0) << cost;
    }
  }
  EXPECT_GT(costs[2].count_row, 0);
}

TEST(MeasureDenseCostsTest, NetworkWithoutLayersCostsNothing) {
  EXPECT_TRUE(MeasureDenseCosts({}).empty());
}

}  // namespace
}  // namespace relu
