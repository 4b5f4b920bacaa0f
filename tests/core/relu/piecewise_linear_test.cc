#include "core/relu/piecewise_linear.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> ApplyAll(const PiecewiseLinear& function,
                            const std::vector<float>& input) {
  std::vector<float> output(input.size());
  Apply(function, input.size(), input.data(), output.data());
  return output;
}

std::vector<float> Slopes(const PiecewiseLinear& function,
                          const std::vector<float>& input) {
  const std::vector<float> ones(input.size(), 1.0F);
  std::vector<float> slopes(input.size());
  AddSlopes(function, input.size(), input.data(), ones.data(), slopes.data());
  return slopes;
}

TEST(PiecewiseLinearTest, ReluIsLevelAtItsKink) {
  EXPECT_THAT(ApplyAll(LeakyRelu(0), {-2, 0, 3}), ElementsAre(0, 0, 3));
  EXPECT_THAT(Slopes(LeakyRelu(0), {-2, 0, 3}), ElementsAre(0, 0, 1));
}

TEST(PiecewiseLinearTest, LeakyReluTakesTheSmallerSlopeAtItsKink) {
  EXPECT_THAT(ApplyAll(LeakyRelu(0.5F), {-2, 0, 3}), ElementsAre(-1, 0, 3));
  EXPECT_THAT(Slopes(LeakyRelu(0.5F), {-2, 0, 3}), ElementsAre(0.5F, 0.5F, 1));
  EXPECT_THAT(Slopes(LeakyRelu(2), {-2, 0, 3}), ElementsAre(2, 1, 1));
}

TEST(PiecewiseLinearTest, ClipIsLevelAtAndBeyondItsBounds) {
  EXPECT_THAT(ApplyAll(Clip(-1, 6), {-3, -1, 2, 6, 7}),
              ElementsAre(-1, -1, 2, 6, 6));
  EXPECT_THAT(Slopes(Clip(-1, 6), {-3, -1, 2, 6, 7}),
              ElementsAre(0, 0, 1, 0, 0));
}

TEST(PiecewiseLinearTest, ClipWithOneBoundHasOneKink) {
  EXPECT_EQ(Clip(-kInfinity, 6).kinks, 1U);
  EXPECT_EQ(Clip(0, std::numeric_limits<float>::max()).kinks, 1U);
  EXPECT_THAT(Slopes(Clip(-kInfinity, 6), {-9, 6, 7}), ElementsAre(1, 0, 0));
}

TEST(PiecewiseLinearTest, ClipWithoutBoundsChangesNothing) {
  const PiecewiseLinear clip = Clip(-kInfinity, kInfinity);
  EXPECT_EQ(clip.kinks, 0U);
  EXPECT_THAT(ApplyAll(clip, {-9, 7}), ElementsAre(-9, 7));
  EXPECT_THAT(Slopes(clip, {-9, 7}), ElementsAre(1, 1));
}

TEST(PiecewiseLinearTest, AbsTakesTheLeftSlopeAtItsKink) {
  EXPECT_THAT(ApplyAll(Abs(), {-2, 0, 3}), ElementsAre(2, 0, 3));
  EXPECT_THAT(Slopes(Abs(), {-2, 0, 3}), ElementsAre(-1, -1, 1));
}

TEST(PiecewiseLinearTest, InfinityIsFiniteWhereTheFunctionIsLevel) {
  EXPECT_THAT(ApplyAll(LeakyRelu(0), {-kInfinity, kInfinity}),
              ElementsAre(0, kInfinity));
  EXPECT_THAT(ApplyAll(Clip(0, 6), {-kInfinity, kInfinity}), ElementsAre(0, 6));
}

TEST(PiecewiseLinearTest, NanStaysNan) {
  for (const PiecewiseLinear& function :
       {LeakyRelu(0), Clip(0, 6), Clip(-kInfinity, kInfinity)}) {
    EXPECT_TRUE(std::isnan(ApplyAll(function, {std::nanf("")})[0]));
  }
}

TEST(PiecewiseLinearTest, SlopesAddToWhatIsThere) {
  const float input = 2;
  const float output_adjoint = 3;
  float input_adjoint = 10;
  AddSlopes(LeakyRelu(0), 1, &input, &output_adjoint, &input_adjoint);
  EXPECT_EQ(input_adjoint, 13);
}

}  // namespace
}  // namespace relu
