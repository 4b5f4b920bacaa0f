#include "core/plan/index_table.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using Sizes = std::vector<std::int64_t>;

TEST(IndexTableTest, BroadcastRepeatsDimensionsOfOneAndMissingOnes) {
  const auto column = BroadcastTable(Sizes{2, 1}, Sizes{2, 3});
  ASSERT_TRUE(column.has_value());
  EXPECT_THAT(*column, ElementsAre(0, 0, 0, 1, 1, 1));
  const auto row = BroadcastTable(Sizes{3}, Sizes{2, 3});
  ASSERT_TRUE(row.has_value());
  EXPECT_THAT(*row, ElementsAre(0, 1, 2, 0, 1, 2));
  const auto scalar = BroadcastTable(Sizes{}, Sizes{2});
  ASSERT_TRUE(scalar.has_value());
  EXPECT_THAT(*scalar, ElementsAre(0, 0));
}

TEST(IndexTableTest, BroadcastIsRefusedWhenSizesDiffer) {
  EXPECT_FALSE(BroadcastTable(Sizes{2}, Sizes{3}).has_value());
  EXPECT_FALSE(BroadcastTable(Sizes{3}, Sizes{1}).has_value());
}

TEST(IndexTableTest, BroadcastIsRefusedWhenSourceHasMoreDimensions) {
  EXPECT_FALSE(BroadcastTable(Sizes{1, 3}, Sizes{3}).has_value());
}

TEST(IndexTableTest, TransposeSwapsDimensions) {
  EXPECT_THAT(TransposeTable(Sizes{2, 3}, Sizes{1, 0}),
              ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(IndexTableTest, TransposeOfThreeDimensionsTakesEachFromItsPlace) {
  // Result dimension 0 is source dimension 2, and so on: [2,1,3] -> [3,2,1].
  EXPECT_THAT(TransposeTable(Sizes{2, 1, 3}, Sizes{2, 0, 1}),
              ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(IndexTableTest, SelectionTakesPositionsOfEachOuterSlice) {
  const Sizes positions{2, 0};
  EXPECT_THAT(SelectionTable(
                  {.outer = 2, .size = 3, .inner = 2, .positions = positions}),
              ElementsAre(4, 5, 0, 1, 10, 11, 6, 7));
}

TEST(IndexTableTest, IdentityIsSeenOnlyWhenNothingMovesOrMisses) {
  EXPECT_TRUE(IsIdentity({0, 1, 2}, 3));
  EXPECT_FALSE(IsIdentity({0, 1}, 3));
  EXPECT_FALSE(IsIdentity({0, 2, 1}, 3));
}

TEST(IndexTableTest, RangesGoForwardsAndBackwards) {
  const std::vector<AxisRange> ranges = {
      {.size = 2, .start = 1, .step = -1, .count = 2},
      {.size = 5, .start = 0, .step = 2, .count = 3}};
  EXPECT_THAT(RangeTable(ranges), ElementsAre(5, 7, 9, 0, 2, 4));
  EXPECT_THAT(RangeTable({}), ElementsAre(0));
}

}  // namespace
}  // namespace relu
