#include "core/relu/layer_profile.h"

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

PiecewiseNetwork OneLayer(std::int64_t k, std::int64_t n,
                          const std::vector<float>& weights) {
  GraphBuilder builder;
  builder.Output(builder.MatMul(
      builder.Input("x", {k}), builder.Constant(FloatTensor({k, n}, weights))));
  return LowerOrDie(builder.Build());
}

TEST(LayerProfileTest, SpectralNormIsTheLargestSingularValue) {
  // [[3, 0], [4, 5]] has the singular values sqrt(45) and sqrt(5).
  const auto profiles = ProfileLayers(OneLayer(2, 2, {3, 0, 4, 5}));
  ASSERT_EQ(profiles.size(), 1U);
  EXPECT_NEAR(profiles[0].spectral_norm, std::sqrt(45.0), 1e-9);
  EXPECT_EQ(profiles[0].zero_weights, 1);
  EXPECT_EQ(profiles[0].inputs, 2U);
  EXPECT_EQ(profiles[0].outputs, 2U);
}

TEST(LayerProfileTest, OfZeroWeightsAllIsZero) {
  const auto profiles = ProfileLayers(OneLayer(2, 1, {0, 0}));
  EXPECT_EQ(profiles[0].spectral_norm, 0);
  EXPECT_EQ(profiles[0].gain, 0);
}

TEST(LayerProfileTest, GainOfHesInitialisationIsOne) {
  constexpr std::int64_t kFanIn = 400;
  constexpr std::int64_t kFanOut = 100;
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, std::sqrt(2.0F / kFanIn));
  std::vector<float> weights(kFanIn * kFanOut);
  for (float& weight : weights) {
    weight = normal(random);
  }
  const auto profiles = ProfileLayers(OneLayer(kFanIn, kFanOut, weights));
  EXPECT_NEAR(profiles[0].gain, 1, 0.02);
}

TEST(LayerProfileTest, ActivationsAreCountedByNeuron) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  // h = relu(2 x0 - x1 + 1, x1 - x0)
  std::vector<Tensor> rows;
  rows.push_back(FloatTensor({4, 2}, {1, 0, 1, 2, 1, 1, -1, -1}));
  const auto read = ReadInputRows(network, rows, "input");
  ASSERT_TRUE(read.ok()) << read.status();
  const auto profiles = ProfileActivations(network, *read);
  ASSERT_TRUE(profiles.ok()) << profiles.status();
  ASSERT_EQ(profiles->size(), 1U);
  const ActivationProfile& profile = (*profiles)[0];
  EXPECT_EQ(profile.neurons, 2U);
  EXPECT_EQ(profile.rows, 4);
  EXPECT_THAT(profile.on, ElementsAre(3, 1));
  EXPECT_EQ(profile.zeros, 0.5);
  EXPECT_EQ(profile.largest_input, 3);
  EXPECT_EQ(profile.dead(), 0);
  EXPECT_EQ(profile.always_on(), 0);
}

TEST(LayerProfileTest, NeuronsThatNeverOrAlwaysFireAreFound) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  std::vector<Tensor> rows;
  rows.push_back(FloatTensor({2, 2}, {1, 0, 2, 0}));
  const auto profiles =
      ProfileActivations(network, *ReadInputRows(network, rows, "input"));
  ASSERT_TRUE(profiles.ok()) << profiles.status();
  EXPECT_EQ((*profiles)[0].dead(), 1);
  EXPECT_EQ((*profiles)[0].always_on(), 1);
}

}  // namespace
}  // namespace relu
