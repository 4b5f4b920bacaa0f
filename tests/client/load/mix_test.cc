#include "client/load/mix.h"

#include <cstddef>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu::load {
namespace {

using testing::ElementsAre;

// A model with `count` requests, whose rows tell them apart.
MixModel ModelOf(std::size_t index, double weight, int count) {
  MixModel model{.weight = weight};
  for (int i = 0; i < count; ++i) {
    model.requests.push_back({.message = {}, .rows = i, .model = index});
  }
  return model;
}

TEST(RequestSequenceTest, TakesTheRequestsOfAModelInTurn) {
  const Mix mix = {ModelOf(0, 1, 3)};
  RequestSequence sequence(mix, {}, /*seed=*/1);
  std::vector<std::int64_t> taken;
  for (int i = 0; i < 5; ++i) {
    taken.push_back(sequence.Next().rows);
  }
  EXPECT_THAT(taken, ElementsAre(0, 1, 2, 0, 1));
}

TEST(RequestSequenceTest, ThreadsStartAtDifferentRequests) {
  const Mix mix = {ModelOf(0, 1, 4)};
  EXPECT_EQ(RequestSequence(mix, {.index = 0, .count = 2}, 1).Next().rows, 0);
  EXPECT_EQ(RequestSequence(mix, {.index = 1, .count = 2}, 1).Next().rows, 2);
}

TEST(RequestSequenceTest, DrawsModelsByTheirWeights) {
  const Mix mix = {ModelOf(0, 3, 1), ModelOf(1, 1, 1), ModelOf(2, 0, 1)};
  RequestSequence sequence(mix, {}, /*seed=*/7);
  std::vector<int> counts(3, 0);
  for (int i = 0; i < 40'000; ++i) {
    ++counts[sequence.Next().model];
  }
  EXPECT_NEAR(counts[0], 30'000, 500);
  EXPECT_NEAR(counts[1], 10'000, 500);
  EXPECT_EQ(counts[2], 0);
}

}  // namespace
}  // namespace relu::load
