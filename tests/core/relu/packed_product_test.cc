#include "core/relu/packed_product.h"

#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

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

}  // namespace
}  // namespace relu
