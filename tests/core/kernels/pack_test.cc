#include <cstddef>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"

#include "core/kernels/kernels.h"

namespace relu::kernels {
namespace {

TEST(PackTest, SizesCoverWholePanels) {
  EXPECT_EQ(PackedWeightsSize(3, 1), 48U);
  EXPECT_EQ(PackedWeightsSize(3, 16), 48U);
  EXPECT_EQ(PackedWeightsSize(3, 17), 96U);
  EXPECT_EQ(PackedBiasSize(1), 16U);
  EXPECT_EQ(PackedBiasSize(16), 16U);
  EXPECT_EQ(PackedBiasSize(17), 32U);
}

TEST(PackTest, LayerWithoutInputsHasBiasAlone) {
  EXPECT_EQ(PackedWeightsSize(0, 17), 0U);
  EXPECT_EQ(PackedBiasSize(17), 32U);
}

TEST(PackTest, WeightsLieInPanelsOfColumnsThenInputs) {
  constexpr std::size_t kInputs = 3;
  constexpr std::size_t kOutputs = 37;
  std::vector<float> weights(kInputs * kOutputs);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(i + 1);
  }
  std::vector<float> packed(PackedWeightsSize(kInputs, kOutputs), -1.0F);

  PackWeights(kInputs, kOutputs, weights.data(), packed.data());

  for (std::size_t i = 0; i < packed.size(); ++i) {
    const std::size_t panel = i / (kInputs * kPanelColumns);
    const std::size_t k = i / kPanelColumns % kInputs;
    const std::size_t j = panel * kPanelColumns + i % kPanelColumns;
    EXPECT_EQ(packed[i], j < kOutputs ? weights[k * kOutputs + j] : 0.0F)
        << "input " << k << ", output " << j;
  }
}

TEST(PackTest, NarrowLayersHaveFewOutputsAndManyMoreInputs) {
  EXPECT_EQ(LayoutOf(7, 1), Layout::kPanels);
  EXPECT_EQ(LayoutOf(8, 1), Layout::kNarrow);
  EXPECT_EQ(LayoutOf(119, 15), Layout::kPanels);
  EXPECT_EQ(LayoutOf(120, 15), Layout::kNarrow);
  EXPECT_EQ(LayoutOf(100000, 16), Layout::kPanels);
}

TEST(PackTest, WeightsOfNarrowLayersLieInPaddedColumns) {
  constexpr std::size_t kInputs = 18;
  const std::vector<float> weights = [] {
    std::vector<float> values(2 * kInputs);
    std::iota(values.begin(), values.end(), 1.0F);
    return values;
  }();
  std::vector<float> packed(PackedWeightsSize(kInputs, 2), -1.0F);
  ASSERT_EQ(packed.size(), 64U);

  PackWeights(kInputs, 2, weights.data(), packed.data());

  for (std::size_t i = 0; i < packed.size(); ++i) {
    const std::size_t k = i % 32;
    EXPECT_EQ(packed[i], k < kInputs ? weights[2 * k + i / 32] : 0.0F) << i;
  }
}

TEST(PackTest, RowWeightsLieInPaddedRows) {
  constexpr std::size_t kInputs = 3;
  for (const std::size_t n : {1U, 16U, 37U}) {
    std::vector<float> weights(kInputs * n);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] = static_cast<float>(i + 1);
    }
    std::vector<float> packed(kInputs * RowStride(n), -1.0F);

    PackRowWeights(kInputs, n, weights.data(), packed.data());

    EXPECT_GE(RowStride(n), PackedBiasSize(n));
    for (std::size_t i = 0; i < packed.size(); ++i) {
      const std::size_t k = i / RowStride(n);
      const std::size_t j = i % RowStride(n);
      EXPECT_EQ(packed[i], j < n ? weights[k * n + j] : 0.0F)
          << "input " << k << ", output " << j << " of " << n;
    }
  }
}

TEST(PackTest, PanelsOfALayerAreItsColumns) {
  constexpr std::size_t kInputs = 3;
  constexpr std::size_t kOutputs = 37;
  std::vector<float> memory(1000);
  const PackedDense layer{.k = kInputs,
                          .n = kOutputs,
                          .weights = memory.data(),
                          .bias = memory.data(),
                          .activation = Activation::kRelu,
                          .row_weights = memory.data(),
                          .row_stride = RowStride(kOutputs)};

  const PackedDense part = PanelsOf(layer, 1, 2);

  EXPECT_EQ(part.n, 21U);
  EXPECT_EQ(part.k, kInputs);
  EXPECT_EQ(part.weights, memory.data() + kInputs * 16);
  EXPECT_EQ(part.bias, memory.data() + 16);
  EXPECT_EQ(part.row_weights, memory.data() + 16);
  EXPECT_EQ(part.row_stride, RowStride(kOutputs));
  EXPECT_EQ(part.activation, Activation::kRelu);
  EXPECT_EQ(PanelsOf(layer, 0, 2).n, 32U);
}

TEST(PackTest, InputsOfALayerAreRowsOfItsPanels) {
  std::vector<float> memory(2000);
  const PackedDense layer{.k = 10,
                          .n = 37,
                          .weights = memory.data(),
                          .bias = memory.data(),
                          .row_weights = memory.data(),
                          .row_stride = RowStride(37)};

  const PackedDense part = InputsOf(InputsOf(layer, 1, 9), 2, 4);

  EXPECT_EQ(part.k, 4U);
  EXPECT_EQ(part.n, 37U);
  EXPECT_EQ(part.k + part.other_inputs, 10U);
  EXPECT_EQ(part.weights, memory.data() + 3 * 16);
  EXPECT_EQ(part.bias, memory.data());
  EXPECT_EQ(part.row_weights, memory.data() + 3 * RowStride(37));
  EXPECT_EQ(part.half_weights, nullptr);
  // Its panels are as far from each other as before.
  EXPECT_EQ(PanelsOf(part, 1, 1).weights, part.weights + 10 * 16);
}

}  // namespace
}  // namespace relu::kernels
