#include "core/relu/piecewise_network.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

struct Pass {
  std::vector<float> values;
  std::vector<float> adjoints;
};

// Of element 0 of the output.
Pass RunRow(const PiecewiseNetwork& network, const std::vector<float>& x) {
  Pass pass{.values = std::vector<float>(network.row_floats),
            .adjoints = std::vector<float>(network.row_floats)};
  std::ranges::copy(
      x, pass.values.begin() +
             static_cast<std::ptrdiff_t>(network.leaves[0].slot.offset));
  PassMemory memory(network, 1);
  RunForward(network, 1, pass.values.data(), memory);
  pass.adjoints[network.output.offset] = 1;
  RunBackward(network, {}, pass.values.data(), pass.adjoints.data(), memory);
  return pass;
}

TEST(PiecewiseNetworkTest, DifferentiatesTwoNeuronsByHand) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  const Pass both = RunRow(network, {1, 2});  // h = (1, 1)
  EXPECT_EQ(both.values[network.output.offset], 2.5F);
  EXPECT_EQ(both.adjoints[0], 7);
  EXPECT_EQ(both.adjoints[1], -4);
  EXPECT_EQ(Intercept(network, both.values.data(), both.adjoints.data()), 3.5);
  const Pass first = RunRow(network, {1, 0});  // h = (3, 0)
  EXPECT_EQ(first.adjoints[0], 6);
  EXPECT_EQ(first.adjoints[1], -3);
}

TEST(PiecewiseNetworkTest, SeveralRowsOfAdjointsShareOneOfValues) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  const std::size_t stride = network.row_floats;
  std::vector<float> values;
  for (const std::vector<float>& x : {std::vector<float>{1, 2}, {1, 0}}) {
    const Pass pass = RunRow(network, x);
    values.insert(values.end(), pass.values.begin(), pass.values.end());
  }
  std::vector<float> adjoints(6 * stride);
  for (std::size_t i = 0; i < 6; ++i) {
    adjoints[i * stride + network.output.offset] = static_cast<float>(i);
  }
  PassMemory memory(network, 6);
  RunBackward(network, {.rows = 2, .each = 3}, values.data(), adjoints.data(),
              memory);
  for (std::size_t i = 0; i < 6; ++i) {
    const auto weight = static_cast<float>(i);
    EXPECT_EQ(adjoints[i * stride], weight * (i < 3 ? 7 : 6));
    EXPECT_EQ(adjoints[i * stride + 1], weight * (i < 3 ? -4 : -3));
  }
}

TEST(PiecewiseNetworkTest, TheDerivativeOfReluAtZeroIsZero) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  const Pass pass = RunRow(network, {1, 1});  // h = (2, 0), on its kink.
  EXPECT_EQ(pass.adjoints[0], 6);
  EXPECT_EQ(pass.adjoints[1], -3);
  EXPECT_EQ(CountKinks(network, pass.values.data()), 1);
}

TEST(PiecewiseNetworkTest, CountsKinksWithinTheRoundingOfTheirLayer) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  const float rounding = 4 * 0x1p-24F * 2;  // gamma_4 of |1| + |-1|.
  EXPECT_EQ(CountKinks(network, RunRow(network, {1, 2}).values.data()), 0);
  EXPECT_EQ(
      CountKinks(network, RunRow(network, {1, 1 + 0x1p-23F}).values.data()), 1);
  EXPECT_EQ(
      CountKinks(network, RunRow(network, {1, 1 + 3 * rounding}).values.data()),
      0);
}

TEST(PiecewiseNetworkTest, NeuronWithoutWeightsIsNoKink) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  builder.Output(builder.Unary(
      Operator::kRelu,
      builder.Gemm(x, builder.Constant(FloatTensor({1, 2}, {0, 1})),
                   builder.Constant(FloatTensor({2}, {0, 0})))));
  const PiecewiseNetwork network = LowerOrDie(builder.Build());
  EXPECT_EQ(CountKinks(network, RunRow(network, {1}).values.data()), 0);
  EXPECT_EQ(CountKinks(network, RunRow(network, {0}).values.data()), 0);
}

TEST(PiecewiseNetworkTest, CountsActivationsWithoutLayerOnTheirKinkAlone) {
  GraphBuilder builder;
  builder.Output(builder.Unary(Operator::kRelu, builder.Input("x", {3})));
  const PiecewiseNetwork network = LowerOrDie(builder.Build());
  EXPECT_EQ(CountKinks(network, RunRow(network, {0, 1e-30F, -1}).values.data()),
            1);
}

TEST(PiecewiseNetworkTest, ArithmeticIsSlopeAndOffset) {
  using Kind = ArithmeticOp::Kind;
  const auto op = [](Kind kind) {
    ArithmeticOp made;
    made.kind = kind;
    made.constants = {4};
    return made;
  };
  EXPECT_EQ(op(Kind::kAdd).Slope(0), 1);
  EXPECT_EQ(op(Kind::kAdd).Offset(0), 4);
  EXPECT_EQ(op(Kind::kSubtract).Offset(0), -4);
  EXPECT_EQ(op(Kind::kSubtractFrom).Slope(0), -1);
  EXPECT_EQ(op(Kind::kSubtractFrom).Offset(0), 4);
  EXPECT_EQ(op(Kind::kMultiply).Slope(0), 4);
  EXPECT_EQ(op(Kind::kDivide).Slope(0), 0.25);
  EXPECT_EQ(op(Kind::kDivide).Offset(0), 0);
}

}  // namespace
}  // namespace relu
