#include <cmath>
#include <vector>

#include "gtest/gtest.h"

#include "core/kernels/kernels.h"
#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

// One output of the layer with these weights and this bias.
float Output(const std::vector<float>& input, const std::vector<float>& weights,
             float bias, Activation activation = Activation::kIdentity) {
  std::vector<float> packed(PackedWeightsSize(input.size(), 1));
  PackWeights(input.size(), 1, weights.data(), packed.data());
  std::vector<float> packed_bias(PackedBiasSize(1));
  packed_bias[0] = bias;
  float output = kNan;
  DenseReference({.k = input.size(),
                  .n = 1,
                  .layout = LayoutOf(input.size(), 1),
                  .weights = packed.data(),
                  .bias = packed_bias.data(),
                  .activation = activation},
                 {1, input.data(), input.size(), &output, 1});
  return output;
}

TEST(DenseReferenceTest, OutputsAreProductsPlusBias) {
  // 2 rows of 2 inputs, 3 outputs; strides leave gaps.
  const std::vector<float> input = {1, 2, -9, 3, 4};
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
  std::vector<float> packed(PackedWeightsSize(2, 3));
  PackWeights(2, 3, weights.data(), packed.data());
  std::vector<float> bias = {10, 20, 30};
  bias.resize(PackedBiasSize(3));
  std::vector<float> output(7, -1);

  DenseReference(
      {.k = 2, .n = 3, .weights = packed.data(), .bias = bias.data()},
      {2, input.data(), 3, output.data(), 4});

  EXPECT_EQ(output, (std::vector<float>{19, 32, 45, -1, 29, 46, 63}));
}

TEST(DenseReferenceTest, OutputsBeyondOnePanelUseTheNextPanel) {
  const std::vector<float> weights = RandomValues(18, /*seed=*/1);
  std::vector<float> packed(PackedWeightsSize(1, 18));
  PackWeights(1, 18, weights.data(), packed.data());
  const std::vector<float> bias(PackedBiasSize(18));
  const float input = 1.0F;
  std::vector<float> output(18);

  DenseReference(
      {.k = 1, .n = 18, .weights = packed.data(), .bias = bias.data()},
      {1, &input, 1, output.data(), 18});

  EXPECT_EQ(output, weights);
}

TEST(DenseReferenceTest, MultiplyAddRoundsOnce) {
  // (1 + e)(1 - e) - 1 = -e * e; two roundings would give 0.
  const float e = 0x1p-20F;
  EXPECT_EQ(Output({1 + e}, {1 - e}, -1.0F), -e * e);
}

TEST(DenseReferenceTest, ChainStartsAtTheBiasAndAscends) {
  // 1e8 + 1 - 1e8: the 1 is lost, unless it comes last.
  EXPECT_EQ(Output({1.0F, -1e8F}, {1.0F, 1.0F}, 1e8F), 0.0F);
  EXPECT_EQ(Output({-1e8F, 1.0F}, {1.0F, 1.0F}, 1e8F), 1.0F);
}

TEST(DenseReferenceTest, NarrowLayerHasSixteenChainsAndThenTheBias) {
  std::vector<float> input(36, 0.0F);
  const std::vector<float> weights(36, 1.0F);
  // Chain 3 takes inputs 3, 19 and 35: the 1 is lost in it.
  input[3] = 1e8F;
  input[19] = 1.0F;
  input[35] = -1e8F;
  EXPECT_EQ(Output(input, weights, 0.0F), 0.0F);
  // Chains 3 and 11 meet before any other joins them. (In one chain: lost.)
  input[19] = 0.0F;
  input[35] = 0.0F;
  input[5] = 1.0F;
  input[27] = -1e8F;
  EXPECT_EQ(Output(input, weights, 0.0F), 1.0F);
  // The bias comes after all chains.
  input[27] = 0.0F;
  EXPECT_EQ(Output(input, weights, -1e8F), 0.0F);
}

TEST(DenseReferenceTest, WithoutInputsGivesTheBias) {
  EXPECT_EQ(Output({}, {}, 3.0F), 3.0F);
}

TEST(DenseReferenceTest, ReluCutsNegativeSums) {
  EXPECT_EQ(Output({1.0F}, {-2.0F}, 1.0F, Activation::kRelu), 0.0F);
  EXPECT_EQ(Output({1.0F}, {2.0F}, 1.0F, Activation::kRelu), 3.0F);
}

TEST(DenseReferenceTest, ReluOfNanIsNan) {
  EXPECT_TRUE(std::isnan(Output({kNan}, {1.0F}, 0.0F, Activation::kRelu)));
}

TEST(DenseReferenceTest, NegativeZeroBecomesPositive) {
  EXPECT_FALSE(std::signbit(Output({}, {}, -0.0F)));
  EXPECT_FALSE(std::signbit(Output({}, {}, -0.0F, Activation::kRelu)));
}

}  // namespace
}  // namespace relu::kernels
