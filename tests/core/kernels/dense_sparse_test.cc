#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"
#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

using DenseSparseTest = EveryTargetTest;
INSTANTIATE_TEST_SUITE_P(Each, DenseSparseTest, EveryTarget(), TargetOf);

// Compares DenseSparseRows() with one row of `expected` answers: of three rows
// the last has that input, the others have one half and all of it as zeros.
// What lies between the rows stays.
void ExpectRowsSameAs(const PackedDense& layer, const std::vector<float>& input,
                      const std::vector<float>& expected) {
  constexpr std::size_t kRows = 3;
  constexpr float kUntouched = -7.0F;
  const std::size_t stride = layer.n + 3;
  std::vector<std::vector<float>> inputs(kRows, input);
  std::fill(inputs[0].begin(), inputs[0].end(), 0.0F);
  std::fill_n(inputs[1].begin(), layer.k / 2, 0.0F);
  std::vector<std::vector<std::uint32_t>> indices(kRows);
  std::vector<std::vector<float>> listed(kRows);
  std::vector<SparseRow> rows;
  for (std::size_t i = 0; i < kRows; ++i) {
    indices[i].resize(layer.k + kSparseRowPadding);
    listed[i].resize(layer.k + kSparseRowPadding);
    rows.push_back(ListNonZeros(layer.k, inputs[i].data(), indices[i].data(),
                                listed[i].data()));
  }
  std::vector<float> output(kRows * stride, kUntouched);

  DenseSparseRows(layer, rows, output.data(), stride);

  for (std::size_t i = 0; i < kRows; ++i) {
    std::vector<float> row_expected = expected;
    if (i + 1 < kRows) {
      Dense(layer,
            {1, inputs[i].data(), layer.k, row_expected.data(), layer.n});
    }
    const auto row = output.begin() + static_cast<std::ptrdiff_t>(i * stride);
    const auto end = row + static_cast<std::ptrdiff_t>(layer.n);
    EXPECT_EQ(FirstDifference({row, end}, row_expected), "")
        << "row " << i << ", k " << layer.k << ", n " << layer.n;
    EXPECT_TRUE(std::all_of(end, end + 3,
                            [](float value) { return value == kUntouched; }))
        << "row " << i;
  }
}

// Compares DenseSparse() and DenseSparseRows() with the definition on `input`,
// to the bit.
void ExpectSparseSameAsReference(std::size_t n,
                                 const std::vector<float>& input) {
  const std::size_t k = input.size();
  AlignedBuffer weights(PackedWeightsSize(k, n) * sizeof(float));
  AlignedBuffer row_weights(k * RowStride(n) * sizeof(float));
  AlignedBuffer sums(PackedBiasSize(n) * sizeof(float));
  AlignedBuffer bias(PackedBiasSize(n) * sizeof(float));
  const std::vector<float> values = RandomValues((k + 1) * n, /*seed=*/1);
  PackWeights(k, n, values.data(), weights.As<float>().data());
  PackRowWeights(k, n, values.data(), row_weights.As<float>().data());
  std::copy_n(values.data() + k * n, n, bias.As<float>().data());
  const PackedDense layer = {.k = k,
                             .n = n,
                             .weights = weights.As<float>().data(),
                             .bias = bias.As<float>().data(),
                             .activation = (k + n) % 2 == 0
                                               ? Activation::kRelu
                                               : Activation::kIdentity,
                             .row_weights = row_weights.As<float>().data(),
                             .row_stride = RowStride(n)};
  std::vector<std::uint32_t> indices(k + kSparseRowPadding);
  std::vector<float> listed(k + kSparseRowPadding);
  std::vector<float> output(n, -1.0F);
  std::vector<float> expected(n, -1.0F);

  DenseSparse(layer,
              ListNonZeros(k, input.data(), indices.data(), listed.data()),
              sums.As<float>().data(), output.data());

  DenseReference(layer, {1, input.data(), k, expected.data(), n});
  EXPECT_EQ(FirstDifference(output, expected), "") << "k " << k << ", n " << n;
  ExpectRowsSameAs(layer, input, expected);
}

// `k` random values; one in `period` stays, the others are zero.
std::vector<float> SparseValues(std::size_t k, std::size_t period) {
  std::vector<float> values = RandomValues(k, /*seed=*/2);
  for (std::size_t i = 0; i < k; ++i) {
    if ((i * 7 + i / 5) % period != 0) {
      values[i] = i % 2 == 0 ? 0.0F : -0.0F;
    }
  }
  return values;
}

TEST_P(DenseSparseTest, BitsAreThoseOfTheReferenceForEverySize) {
  for (const std::size_t k : {0U, 1U, 7U, 16U, 63U, 100U}) {
    for (std::size_t n = 1; n <= 150; ++n) {
      if (LayoutOf(k, n) == Layout::kNarrow) {
        continue;  // Its zeros are never skipped.
      }
      ExpectSparseSameAsReference(n, SparseValues(k, 1 + n % 4));
    }
  }
}

TEST_P(DenseSparseTest, HalfWeightsGiveTheBitsOfDense) {
  constexpr std::size_t kInputs = 60;
  for (const std::size_t n : {15U, 16U, 77U}) {
    std::vector<std::uint16_t> weights(kInputs * n);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      // Finite, of both signs, normal and denormal.
      weights[i] = static_cast<std::uint16_t>(i * 2654435761U >> 7U & 0xBBFFU);
    }
    AlignedBuffer panels(PackedWeightsSize(kInputs, n) * sizeof(std::uint16_t));
    AlignedBuffer rows(kInputs * RowStride(n) * sizeof(std::uint16_t));
    AlignedBuffer bias(PackedBiasSize(n) * sizeof(float));
    AlignedBuffer sums(PackedBiasSize(n) * sizeof(float));
    PackWeights(kInputs, n, weights.data(), panels.As<std::uint16_t>().data());
    PackRowWeights(kInputs, n, weights.data(), rows.As<std::uint16_t>().data());
    const PackedDense layer{
        .k = kInputs,
        .n = n,
        .bias = bias.As<float>().data(),
        .row_stride = RowStride(n),
        .half_weights = panels.As<std::uint16_t>().data(),
        .half_row_weights = rows.As<std::uint16_t>().data()};
    const std::vector<float> input = SparseValues(kInputs, 3);
    std::vector<std::uint32_t> indices(kInputs + kSparseRowPadding);
    std::vector<float> listed(kInputs + kSparseRowPadding);
    std::vector<float> output(n);
    std::vector<float> expected(n);

    DenseSparse(
        layer,
        ListNonZeros(kInputs, input.data(), indices.data(), listed.data()),
        sums.As<float>().data(), output.data());

    Dense(layer, {1, input.data(), kInputs, expected.data(), n});
    EXPECT_EQ(FirstDifference(output, expected), "") << n;
    ExpectRowsSameAs(layer, input, expected);
  }
}

TEST_P(DenseSparseTest, RowOfZerosGivesTheActivatedBias) {
  ExpectSparseSameAsReference(37, std::vector<float>(50, 0.0F));
}

TEST_P(DenseSparseTest, NanAndInfinityReachTheOutput) {
  for (const float value : {kNan, kInfinity, -kInfinity, kDenormal}) {
    std::vector<float> input = SparseValues(40, 4);
    input[11] = value;
    ExpectSparseSameAsReference(33, input);
  }
}

}  // namespace
}  // namespace relu::kernels
