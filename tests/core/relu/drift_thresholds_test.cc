#include "core/relu/drift_thresholds.h"

#include <cstddef>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(DriftThresholdsTest, OfOneScoreTheyAreItsQuantile) {
  EXPECT_THAT(JointThresholds({{1}, {4}, {3}, {2}}, 1), ElementsAre(3));
  EXPECT_THAT(JointThresholds({{1}, {4}, {3}, {2}}, 0), ElementsAre(4));
}

// Windows that pass the first are others than those that pass the second.
TEST(DriftThresholdsTest, AllScoresTogetherArePassedByAsManyAsAllowed) {
  const std::vector<std::vector<double>> scores = {
      {9, 0}, {8, 1}, {0, 9}, {1, 8}, {2, 2}};
  EXPECT_THAT(JointThresholds(scores, 1), ElementsAre(9, 9));
  EXPECT_THAT(JointThresholds(scores, 2), ElementsAre(8, 8));
  EXPECT_THAT(JointThresholds(scores, 3), ElementsAre(8, 8));
  EXPECT_THAT(JointThresholds(scores, 4), ElementsAre(2, 2));
}

TEST(DriftThresholdsTest, RandomScoresPassAtTheRate) {
  constexpr std::size_t kWindows = 2000;
  std::mt19937 random(5);
  std::exponential_distribution<double> draw;
  std::vector<std::vector<double>> scores(kWindows);
  for (auto& window : scores) {
    const double shared = draw(random);
    window = {draw(random), shared + draw(random), shared};
  }
  const std::vector<double> thresholds = JointThresholds(scores, 40);
  std::size_t passing = 0;
  for (const auto& window : scores) {
    const bool passes = window[0] > thresholds[0] ||
                        window[1] > thresholds[1] || window[2] > thresholds[2];
    passing += passes ? 1U : 0U;
  }
  EXPECT_LE(passing, 40U);
  EXPECT_GE(passing, 36U);  // One step lower would be more than 40.
}

}  // namespace
}  // namespace relu
