#include "core/batching/batch_cost.h"

#include <chrono>
#include <cstdint>

#include "gtest/gtest.h"

namespace relu {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

microseconds Rounded(BatchCost::Duration duration) {
  return std::chrono::round<microseconds>(duration);
}

TEST(BatchCostTest, NothingMeasuredCostsNothingAndTakesAll) {
  BatchCost cost(64);
  EXPECT_EQ(cost.Of(1), BatchCost::Duration(0));
  EXPECT_EQ(cost.Of(1000), BatchCost::Duration(0));
  EXPECT_EQ(cost.BestRows(64), 64);
}

TEST(BatchCostTest, SizesBetweenThoseMeasuredCostByTheRow) {
  BatchCost cost(64);
  cost.Note(1, microseconds(50));
  cost.Note(8, microseconds(80));
  EXPECT_EQ(Rounded(cost.Of(1)), microseconds(50));
  EXPECT_EQ(Rounded(cost.Of(8)), microseconds(80));
  EXPECT_EQ(Rounded(cost.Of(12)), microseconds(120));
  // Not measured: as the next smaller one that is.
  EXPECT_EQ(Rounded(cost.Of(4)), microseconds(200));
  EXPECT_EQ(Rounded(cost.Of(64)), microseconds(640));
}

TEST(BatchCostTest, SmallerThanAllMeasuredCostsAsTheSmallest) {
  BatchCost cost(64);
  cost.Note(16, microseconds(160));
  EXPECT_EQ(Rounded(cost.Of(2)), microseconds(20));
}

TEST(BatchCostTest, MoreRowsThanABatchAreSeveral) {
  BatchCost cost(10);
  cost.Note(10, microseconds(100));
  cost.Note(1, microseconds(40));
  EXPECT_EQ(Rounded(cost.Of(21)), microseconds(240));
}

TEST(BatchCostTest, CostFollowsWhatIsMeasured) {
  BatchCost cost(64);
  cost.Note(1, microseconds(50));
  for (int i = 0; i < 60; ++i) {
    cost.Note(1, microseconds(20));
  }
  EXPECT_NEAR(static_cast<double>(Rounded(cost.Of(1)).count()), 20, 1);
}

TEST(BatchCostTest, OneValueThatIsFarOffCountsForLittle) {
  BatchCost cost(64);
  cost.Note(1, microseconds(50));
  cost.Note(1, std::chrono::seconds(1));
  EXPECT_LT(cost.Of(1), microseconds(75));
}

TEST(BatchCostTest, FirstValueOfASizeThatIsFarOffCountsForLittle) {
  BatchCost cost(64);
  cost.Note(1, microseconds(50));
  cost.Note(8, std::chrono::seconds(1));
  EXPECT_LT(cost.Of(8), milliseconds(2));
}

TEST(BatchCostTest, FirstValueOfASizeLongUnusedThatIsFarOffCountsForLittle) {
  BatchCost cost(64);
  cost.Note(1, microseconds(50));
  cost.Note(64, microseconds(640));
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(cost.BestRows(64), 64);
  }
  cost.Note(1, std::chrono::seconds(1));
  EXPECT_LT(cost.Of(1), microseconds(250));
}

TEST(BatchCostTest, BatchThatTookNoTimeIsKnown) {
  BatchCost cost(64);
  cost.Note(1, nanoseconds(0));
  EXPECT_GT(cost.Of(1000), BatchCost::Duration(0));
}

TEST(BatchCostTest, LargeBatchesAreBestWhereTheyAreCheapest) {
  BatchCost cost(64);
  cost.Note(1, microseconds(50));
  cost.Note(64, microseconds(640));
  EXPECT_EQ(cost.BestRows(64), 64);
  EXPECT_EQ(cost.BestRows(3), 3);
  EXPECT_EQ(cost.BestRows(1), 1);
}

TEST(BatchCostTest, SmallBatchesAreBestWhereZerosAreSkipped) {
  BatchCost cost(64);
  cost.Note(1, microseconds(5));
  cost.Note(4, microseconds(40));
  cost.Note(64, microseconds(640));
  EXPECT_EQ(cost.BestRows(64), 1);
}

TEST(BatchCostTest, LittleGainIsNotWorthSmallBatches) {
  BatchCost cost(64);
  cost.Note(1, microseconds(9));
  cost.Note(64, microseconds(640));
  EXPECT_EQ(cost.BestRows(64), 64);
}

TEST(BatchCostTest, SizeThatWasTooDearIsTriedAgainInTheEnd) {
  BatchCost cost(64);
  cost.Note(1, microseconds(50));
  cost.Note(64, microseconds(640));
  int decisions = 0;
  while (cost.BestRows(64) == 64) {
    cost.Note(64, microseconds(640));
    ++decisions;
    ASSERT_LT(decisions, 20'000);
  }
  EXPECT_GT(decisions, 2000);
  // One look is enough to know again.
  cost.Note(1, microseconds(50));
  EXPECT_EQ(cost.BestRows(64), 64);
}

TEST(BatchCostTest, FullBatchThatSeemedTooDearIsTriedAgainInTheEnd) {
  BatchCost cost(64);
  cost.Note(32, microseconds(330));
  cost.Note(64, microseconds(640));
  ASSERT_EQ(cost.BestRows(64), 64);
  // The thread loses its CPU, twice.
  cost.Note(64, std::chrono::seconds(1));
  cost.Note(64, std::chrono::seconds(1));
  int decisions = 0;
  while (cost.BestRows(64) == 32) {
    cost.Note(32, microseconds(330));
    ++decisions;
    ASSERT_LT(decisions, 20'000);
  }
  EXPECT_GT(decisions, 1000);
  cost.Note(64, microseconds(640));
  EXPECT_EQ(cost.BestRows(64), 64);
  EXPECT_EQ(Rounded(cost.Of(64)), microseconds(640));
}

TEST(BatchCostTest, FullBatchThatIsTooDearTakesLittleOfTheTime) {
  BatchCost cost(64);
  cost.Note(1, microseconds(5));
  cost.Note(64, microseconds(640));
  int small = 0;
  int full = 0;
  for (int i = 0; i < 300'000; ++i) {
    const std::int64_t rows = cost.BestRows(64);
    ASSERT_TRUE(rows == 1 || rows == 64);
    cost.Note(rows, microseconds(rows == 1 ? 5 : 640));
    ++(rows == 1 ? small : full);
  }
  EXPECT_GE(full, 1);
  EXPECT_LT(64 * full, small / 1000);
}

}  // namespace
}  // namespace relu
