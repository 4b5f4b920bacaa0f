#include "core/relu/linear_bound.h"

#include <cstddef>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

double At(const PiecewiseLinear& function, double x) {
  std::size_t piece = 0;
  while (piece < function.kinks && x > double{function.kink_at[piece]}) {
    ++piece;
  }
  return function.pieces[piece].At(x);
}

// On intervals of every kind: inside of a piece, across one kink, across both.
TEST(LinearBoundTest, RelaxationsEncloseTheFunction) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const PiecewiseLinear& function :
       {LeakyRelu(0), LeakyRelu(0.25F), LeakyRelu(3), Abs(), Clip(-1, 2),
        Clip(-kInfinity, 0.5F), Clip(0.5F, kInfinity)}) {
    for (double low = -3; low < 3; low += 0.25) {
      for (double high = low; high < 3.5; high += 0.25) {
        const Relaxation lines = RelaxationOf(function, {low, high});
        for (double part = 0; part <= 1; part += 0.125) {
          const double x = low + part * (high - low);
          const double y = At(function, x);
          EXPECT_LE(lines.low_slope * x + lines.low_offset, y + 1e-12);
          EXPECT_GE(lines.high_slope * x + lines.high_offset, y - 1e-12);
        }
      }
    }
  }
}

TEST(LinearBoundTest, WithoutKinkInsideItIsExact) {
  const Relaxation lines = RelaxationOf(LeakyRelu(0.5F), {-4, -1});
  EXPECT_EQ(lines.low_slope, 0.5);
  EXPECT_EQ(lines.high_slope, 0.5);
}

// f = 3 relu(2 x0 - x1 + 1) - relu(x1 - x0) + 0.5, where both are on for all of
// the box: f = 7 x0 - 4 x1 + 3.5.
TEST(LinearBoundTest, WhatCancelsIsNotCountedTwice) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  const InputBox box{.low = {1, 2}, .high = {1.25, 2.5}};
  constexpr double kFar = 1e6;
  std::vector<double> low(network.row_floats, 0);
  std::vector<double> high(network.row_floats, kFar);
  low[network.output.offset] = -kFar;
  TightenByLinearBounds(network, box, network.output, network.ops.size() - 1,
                        low, high);
  EXPECT_NEAR(low[network.output.offset], 7 - 10 + 3.5, 1e-6);
  EXPECT_NEAR(high[network.output.offset], 8.75 - 8 + 3.5, 1e-6);
}

TEST(LinearBoundTest, OneHotGroupAddsOneOfItsCoefficients) {
  // f = 2 x0 + 3 x1 - x2 + 5 x3, behind a move.
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4});
  const ValueId moved = builder.Node(
      Operator::kGather, {x, builder.Constant(Int64Tensor({4}, {3, 2, 1, 0}))},
      {.row_shape = {4}}, {{"axis", std::int64_t{1}}});
  builder.Output(builder.MatMul(
      moved, builder.Constant(FloatTensor({4, 1}, {5, -1, 3, 2}))));
  const PiecewiseNetwork network = LowerOrDie(builder.Build());
  const InputBox box{.low = {-1, 0, 0, 0},
                     .high = {1, 1, 1, 1},
                     .one_hot = {{.first = 1, .size = 3}}};
  constexpr double kFar = 1e6;
  std::vector<double> low(network.row_floats, -kFar);
  std::vector<double> high(network.row_floats, kFar);
  TightenByLinearBounds(network, box, network.output, network.ops.size() - 1,
                        low, high);
  EXPECT_NEAR(low[network.output.offset], -2 - 1, 1e-6);
  EXPECT_NEAR(high[network.output.offset], 2 + 5, 1e-6);
}

TEST(LinearBoundTest, NarrowerBoundsStay) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  const InputBox box{.low = {1, 2}, .high = {1.25, 2.5}};
  std::vector<double> low(network.row_floats, 0.5);
  std::vector<double> high(network.row_floats, 0.75);
  TightenByLinearBounds(network, box, network.output, network.ops.size() - 1,
                        low, high);
  EXPECT_EQ(low[network.output.offset], 0.5);
  EXPECT_EQ(high[network.output.offset], 0.75);
}

}  // namespace
}  // namespace relu
