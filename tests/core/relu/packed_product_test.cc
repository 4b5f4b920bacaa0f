#include "core/relu/packed_product.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "core/kernels/kernels.h"
#include "core/plan/dense_layer.h"
#include "core/relu/dense_op.h"

namespace relu {
namespace {

// One that is narrow and one in panels, both with odd sizes.
TEST(PackedProductTest, IsTheProductWithTheUnpackedWeights) {
  for (const std::size_t n : {3U, 37U}) {
    DenseLayer layer;
    layer.k = 41;
    layer.n = n;
    for (std::size_t i = 0; i < layer.k * n; ++i) {
      layer.weights.push_back(static_cast<float>((i * 7) % 31) - 15);
    }
    layer.bias.resize(n, 1000);
    const DenseOp op(layer, {}, {});
    const std::vector<double> unpacked = UnpackWeights(op.forward);
    ASSERT_EQ(unpacked.size(), layer.weights.size());
    std::vector<double> input(layer.k);
    std::vector<double> want(n, 0.5);
    for (std::size_t i = 0; i < layer.k; ++i) {
      input[i] = static_cast<double>(i) - 20;
      for (std::size_t j = 0; j < n; ++j) {
        EXPECT_EQ(unpacked[i * n + j], double{layer.weights[i * n + j]});
        want[j] += input[i] * unpacked[i * n + j];
      }
    }
    std::vector<double> output(n, 0.5);
    AddProduct(op.forward, input.data(), output.data());
    EXPECT_EQ(output, want);
  }
}

TEST(PackedProductTest, ColumnsAreThoseOfTheUnpackedWeights) {
  for (const std::size_t n : {3U, 37U}) {
    DenseLayer layer;
    layer.k = 41;
    layer.n = n;
    for (std::size_t i = 0; i < layer.k * n; ++i) {
      layer.weights.push_back(static_cast<float>(i % 89));
    }
    layer.bias.resize(n);
    const DenseOp op(layer, {}, {});
    const std::vector<double> unpacked = UnpackWeights(op.forward);
    for (std::size_t j = 0; j < n; ++j) {
      const std::vector<double> column = UnpackColumn(op.forward, j);
      ASSERT_EQ(column.size(), layer.k);
      for (std::size_t i = 0; i < layer.k; ++i) {
        EXPECT_EQ(column[i], unpacked[i * n + j]);
      }
    }
  }
}

TEST(PackedProductTest, ColumnsOfHalfWeightsAreWhatTheyStandFor) {
  // One panel of 16 columns and two inputs.
  std::vector<std::uint16_t> halves(32);
  halves[3] = 0x3C00;   // 1.0
  halves[19] = 0xC000;  // -2.0
  const kernels::PackedDense layer{
      .k = 2, .n = 16, .half_weights = halves.data()};
  EXPECT_EQ(UnpackColumn(layer, 3), (std::vector<double>{1, -2}));
}

}  // namespace
}  // namespace relu
