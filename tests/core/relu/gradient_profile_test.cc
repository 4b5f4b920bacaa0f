#include "core/relu/gradient_profile.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

TEST(GradientProfileTest, GradientsAreThoseByHand) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  // Sums 2 x0 - x1 + 1 and -x0 + x1: 1.5 and 0, then 1 and 1.
  const auto profiles =
      ProfileGradients(network, {.rows = 2, .elements = {0.5, 0.5, 1, 2}});
  ASSERT_TRUE(profiles.ok()) << profiles.status();
  ASSERT_EQ(profiles->size(), 2U);
  // The squares are 9 (one is off) and 10.
  EXPECT_NEAR((*profiles)[0].own, std::sqrt(9.5), 1e-6);
  const auto tanh_square = [](double weight, double sum) {
    const double slope = weight * (1 - std::tanh(sum) * std::tanh(sum));
    return slope * slope;
  };
  EXPECT_NEAR((*profiles)[0].tanh,
              std::sqrt((tanh_square(3, 1.5) + tanh_square(1, 0) +
                         tanh_square(3, 1) + tanh_square(1, 1)) /
                        2),
              1e-6);
  const auto sigmoid_square = [](double weight, double sum) {
    const double value = 1 / (1 + std::exp(-sum));
    return std::pow(weight * value * (1 - value), 2);
  };
  EXPECT_NEAR((*profiles)[0].sigmoid,
              std::sqrt((sigmoid_square(3, 1.5) + sigmoid_square(1, 0) +
                         sigmoid_square(3, 1) + sigmoid_square(1, 1)) /
                        2),
              1e-6);
  for (const double last :
       {(*profiles)[1].own, (*profiles)[1].tanh, (*profiles)[1].sigmoid}) {
    EXPECT_EQ(last, 1);
  }
}

// Layers of He's initialisation.
Graph DeepNetwork(std::size_t depth) {
  constexpr std::int64_t kUnits = 64;
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, std::sqrt(2.0F / kUnits));
  GraphBuilder builder;
  ValueId value = builder.Input("x", {kUnits});
  for (std::size_t layer = 0; layer < depth; ++layer) {
    std::vector<float> weights(kUnits * kUnits);
    for (float& weight : weights) {
      weight = normal(random);
    }
    value = builder.Unary(
        Operator::kRelu,
        builder.MatMul(
            value, builder.Constant(FloatTensor({kUnits, kUnits}, weights))));
  }
  builder.Output(value);
  return builder.Build();
}

TEST(GradientProfileTest, SigmoidsVanishWithDepthAndRelusDoNot) {
  constexpr std::size_t kDepth = 10;
  const PiecewiseNetwork network = LowerOrDie(DeepNetwork(kDepth));
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  InputRows rows{.rows = 20, .elements = std::vector<double>(20 * 64)};
  for (double& element : rows.elements) {
    element = normal(random);
  }
  const auto profiles = ProfileGradients(network, rows);
  ASSERT_TRUE(profiles.ok()) << profiles.status();
  const GradientProfile& first = profiles->front();
  const GradientProfile& last = profiles->back();
  EXPECT_GT(first.own / last.own, 0.1);
  EXPECT_LT(first.own / last.own, 10);
  EXPECT_LT(first.sigmoid / last.sigmoid, 1e-3);
  EXPECT_LT(first.sigmoid, first.tanh);
}

TEST(GradientProfileTest, OfManyRowsSomeAreTaken) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  // Rows 0 and 2 of 4: both neurons on.
  const auto profiles = ProfileGradients(
      network, {.rows = 4, .elements = {1, 2, -9, 9, 1, 2, -9, 9}},
      /*most_rows=*/2);
  ASSERT_TRUE(profiles.ok()) << profiles.status();
  EXPECT_NEAR((*profiles)[0].own, std::sqrt(10), 1e-6);
}

}  // namespace
}  // namespace relu
