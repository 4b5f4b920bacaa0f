#include "core/relu/dense_op.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <random>
#include <vector>

#include "gtest/gtest.h"

#include "core/kernels/kernels.h"
#include "core/plan/dense_layer.h"

namespace relu {
namespace {

float Number(std::mt19937& random) {
  return static_cast<float>(random() % 2000) / 1000 - 1;
}

DenseLayer RandomLayer(std::size_t k, std::size_t n, std::mt19937& random) {
  DenseLayer layer;
  layer.k = k;
  layer.n = n;
  layer.weights.resize(k * n);
  layer.bias.resize(n);
  std::ranges::generate(layer.weights, [&] { return Number(random); });
  std::ranges::generate(layer.bias, [&] { return Number(random); });
  return layer;
}

// Rows of which the first few have zeros at most places.
std::vector<float> RandomRows(std::size_t rows, std::size_t sparse_rows,
                              std::size_t size, std::mt19937& random) {
  std::vector<float> values(rows * size);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool zero = i < sparse_rows * size && random() % 4 != 0;
    values[i] = zero ? 0.0F : Number(random) + 2;
  }
  return values;
}

void ExpectReferenceBits(const kernels::PackedDense& layer,
                         std::size_t row_count, std::size_t sparse_rows,
                         std::mt19937& random) {
  const std::vector<float> input =
      RandomRows(row_count, sparse_rows, layer.k, random);
  std::vector<float> want(row_count * layer.n);
  std::vector<float> found(want.size());
  const std::size_t stride = std::max(layer.k, layer.n);
  std::vector<float> rows(row_count * stride);
  std::vector<float> outputs(row_count * stride);
  for (std::size_t row = 0; row < row_count; ++row) {
    std::copy_n(&input[row * layer.k], layer.k, &rows[row * stride]);
  }
  kernels::DenseReference(layer, {.m = row_count,
                                  .input = input.data(),
                                  .input_stride = layer.k,
                                  .output = want.data(),
                                  .output_stride = layer.n});
  SparseRoom room(stride, row_count);
  RunDense(layer, 1, {row_count, stride}, rows.data(), room, outputs.data());
  for (std::size_t row = 0; row < row_count; ++row) {
    EXPECT_EQ(std::memcmp(&outputs[row * stride], &want[row * layer.n],
                          layer.n * sizeof(float)),
              0)
        << "row " << row;
  }
}

TEST(DenseOpTest, SkippingZerosChangesNoBit) {
  std::mt19937 random(5);
  const DenseOp op(RandomLayer(160, 150, random), {}, {});
  ASSERT_TRUE(op.skips_zeros());
  for (const kernels::PackedDense& layer : {op.forward, op.backward}) {
    ExpectReferenceBits(layer, 1, 1, random);
    ExpectReferenceBits(layer, 3, 3, random);
    // Blocks with zeros, with some, and without.
    ExpectReferenceBits(layer, 40, 20, random);
  }
}

TEST(DenseOpTest, SmallAndNarrowLayersSkipNone) {
  std::mt19937 random(6);
  for (const std::size_t n : {1U, 10U, 40U}) {
    const DenseOp op(RandomLayer(100, n, random), {}, {});
    EXPECT_FALSE(op.skips_zeros());
    ExpectReferenceBits(op.forward, 3, 2, random);
    ExpectReferenceBits(op.backward, 3, 2, random);
  }
}

TEST(DenseOpTest, BackwardIsTheTranspose) {
  DenseLayer layer;
  layer.k = 2;
  layer.n = 3;
  layer.weights = {1, 2, 3, 4, 5, 6};
  layer.bias = {7, 8, 9};
  const DenseOp op(layer, {}, {});
  SparseRoom room(0, 1);
  const std::vector<float> slopes = {1, 10, 100};
  std::vector<float> input(2);
  RunDense(op.backward, 1, {1, 3}, slopes.data(), room, input.data());
  EXPECT_EQ(input, (std::vector<float>{321, 654}));
}

TEST(DenseOpTest, VectorsOfARowGoThroughTheLayerOneByOne) {
  DenseLayer layer;
  layer.k = 1;
  layer.n = 2;
  layer.vectors_per_row = 3;
  layer.weights = {1, -1};
  layer.bias = {0, 10};
  const DenseOp op(layer, {.offset = 0, .size = 3}, {.offset = 3, .size = 6});
  const std::vector<float> row = {1, 2, -30};
  std::vector<float> output(6);
  SparseRoom room(0, 1);
  RunDense(op.forward, op.vectors, {1, 9}, row.data(), room, output.data());
  EXPECT_EQ(output, (std::vector<float>{1, 9, 2, 8, -30, 40}));
  EXPECT_EQ(LargestInput(op, row.data(), 0), 1);
  EXPECT_EQ(LargestInput(op, row.data(), 2), 30);
}

TEST(DenseOpTest, RoundingGrowsWithWeightsAndBias) {
  DenseLayer layer;
  layer.k = 2;
  layer.n = 1;
  layer.weights = {3, -4};
  layer.bias = {-5};
  const DenseOp op(layer, {}, {});
  const float gamma = 4 * 0x1p-24F;
  EXPECT_NEAR(op.weight_rounding[0], gamma * 7, gamma * 1e-5);
  EXPECT_NEAR(op.bias_rounding[0], gamma * 5, gamma * 1e-5);
}

}  // namespace
}  // namespace relu
