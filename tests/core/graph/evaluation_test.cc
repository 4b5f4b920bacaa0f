#include "core/graph/evaluation.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/tensor/shape.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

std::vector<std::size_t> Take(IndexWalk walk, int count) {
  std::vector<std::size_t> places;
  for (int i = 0; i < count; ++i) {
    places.push_back(walk.Next());
  }
  return places;
}

TEST(EvaluationTest, AxisViewSplitsShapeAtAxis) {
  const AxisView view = ViewFromAxis({2, 3, 4, 5}, 2);
  EXPECT_EQ(view.outer, 6U);
  EXPECT_EQ(view.size, 4U);
  EXPECT_EQ(view.inner, 5U);
  EXPECT_EQ(view.lines(), 30U);
  EXPECT_EQ(view.LineBegin(6), 21U);
}

TEST(EvaluationTest, BroadcastRepeatsSizesOfOne) {
  EXPECT_THAT(Take(BroadcastWalk({2, 1}, {2, 3}), 6),
              ElementsAre(0, 0, 0, 1, 1, 1));
}

TEST(EvaluationTest, BroadcastRepeatsForAddedDimensions) {
  EXPECT_THAT(Take(BroadcastWalk({2}, {2, 2}), 4), ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(Take(BroadcastWalk({}, {3}), 3), ElementsAre(0, 0, 0));
}

TEST(EvaluationTest, WalkStartsAgainAfterTheLastElement) {
  EXPECT_THAT(Take(BroadcastWalk({2}, {2}), 3), ElementsAre(0, 1, 0));
}

TEST(EvaluationTest, TransposeTakesColumnsAsRows) {
  const std::vector<std::int64_t> order = {1, 0};
  EXPECT_THAT(Take(TransposeWalk({2, 3}, order), 6),
              ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(EvaluationTest, TransposeMovesDimensionsByOrder) {
  const std::vector<std::int64_t> order = {0, 2, 1};
  EXPECT_THAT(Take(TransposeWalk({2, 2, 2}, order), 8),
              ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
}

}  // namespace
}  // namespace relu
