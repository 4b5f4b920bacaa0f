#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"
#include "core/tensor/float16.h"
#include "tests/core/kernels/guarded_floats.h"
#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

using DenseTest = EveryTargetTest;
INSTANTIATE_TEST_SUITE_P(Each, DenseTest, EveryTarget(), TargetOf);

// A layer of seeded values, with the memory that it points into.
class Layer {
 public:
  Layer(std::size_t k, std::size_t n, Activation activation,
        std::uint32_t seed = 1)
      : weights_(PackedWeightsSize(k, n) * sizeof(float)),
        bias_(PackedBiasSize(n) * sizeof(float)) {
    const std::vector<float> values = RandomValues((k + 1) * n, seed);
    PackWeights(k, n, values.data(), weights_.As<float>().data());
    std::copy_n(values.data() + k * n, n, bias_.As<float>().data());
    packed_ = {.k = k,
               .n = n,
               .layout = LayoutOf(k, n),
               .weights = weights_.As<float>().data(),
               .bias = bias_.As<float>().data(),
               .activation = activation};
  }

  const PackedDense& packed() const { return packed_; }

 private:
  AlignedBuffer weights_;
  AlignedBuffer bias_;
  PackedDense packed_;
};

using DenseFunction = void (*)(const PackedDense&, const DenseRows&);

// What `function` makes of `m` rows of `input`, which are `input_stride` apart.
// The output has `gap` floats between its rows, which hold -1 before. It ends
// with the last column, so that a sanitizer sees what is written beyond.
std::vector<float> Outputs(DenseFunction function, const PackedDense& layer,
                           std::size_t m, const std::vector<float>& input,
                           std::size_t input_stride, std::size_t gap = 0) {
  const std::size_t output_stride = layer.n + gap;
  std::vector<float> output(m * output_stride - gap, -1.0F);
  function(layer,
           {m, input.data(), input_stride, output.data(), output_stride});
  return output;
}

// Compares all m in 1..20 for one shape. Rows overlap a little less than they
// could (an odd stride), so that most of them are not aligned.
void ExpectSameAsReference(std::size_t k, std::size_t n) {
  const Layer layer(
      k, n, (k + n) % 2 == 0 ? Activation::kRelu : Activation::kIdentity);
  const std::size_t stride = k + 3;
  for (std::size_t m = 1; m <= 20; ++m) {
    const std::vector<float> input =
        RandomValues((m - 1) * stride + k, /*seed=*/2);
    const std::size_t gap = m % 5;
    // The gaps are compared too: they must keep their -1.
    ASSERT_EQ(
        FirstDifference(
            Outputs(Dense, layer.packed(), m, input, stride, gap),
            Outputs(DenseReference, layer.packed(), m, input, stride, gap)),
        "")
        << "m " << m << ", k " << k << ", n " << n;
  }
}

TEST_P(DenseTest, BitsAreThoseOfTheReferenceForEverySize) {
  for (const std::size_t k : {0U, 1U, 2U, 7U, 16U, 17U, 63U, 64U, 100U}) {
    for (std::size_t n = 1; n <= 70; ++n) {
      ExpectSameAsReference(k, n);
    }
  }
}

// In the layouts with panels and without, the last rows end where memory does.
TEST_P(DenseTest, RowsAreReadAndWrittenToTheirEndsAlone) {
  for (const std::size_t k : {1U, 9U, 16U, 31U, 130U}) {
    for (std::size_t n = 1; n <= 40; ++n) {
      const Layer layer(k, n, Activation::kRelu);
      for (const std::size_t m : {1U, 2U, 7U}) {
        const std::vector<float> values = RandomValues(m * k, /*seed=*/2);
        GuardedFloats input(values.size());
        std::ranges::copy(values, input.floats().begin());
        GuardedFloats output(m * n);
        Dense(layer.packed(),
              {m, input.floats().data(), k, output.floats().data(), n});
        ASSERT_EQ(FirstDifference(
                      {output.floats().begin(), output.floats().end()},
                      Outputs(DenseReference, layer.packed(), m, values, k)),
                  "")
            << "m " << m << ", k " << k << ", n " << n;
      }
    }
  }
}

TEST_P(DenseTest, BitsAreThoseOfTheReferenceForManyPanels) {
  for (const std::size_t n : {128U, 129U, 255U, 272U, 500U}) {
    ExpectSameAsReference(/*k=*/33, n);
  }
}

TEST_P(DenseTest, BitsAreThoseOfTheReferenceForManyInputs) {
  // More than are computed at a time, so that sums wait in the output.
  for (const std::size_t k : {1024U, 1025U, 2100U}) {
    for (const std::size_t n : {5U, 16U, 33U, 100U}) {
      const Layer layer(k, n, Activation::kRelu);
      for (const std::size_t m : {1U, 6U, 7U, 13U, 25U}) {
        const std::vector<float> input = RandomValues(m * k, /*seed=*/2);
        ASSERT_EQ(FirstDifference(
                      Outputs(Dense, layer.packed(), m, input, k, /*gap=*/3),
                      Outputs(DenseReference, layer.packed(), m, input, k, 3)),
                  "")
            << "m " << m << ", k " << k << ", n " << n;
      }
    }
  }
}

TEST_P(DenseTest, BitsOfNarrowLayersAreThoseOfTheReference) {
  for (const std::size_t k : {8U, 31U, 64U, 120U, 500U}) {
    for (std::size_t n = 1; n < 16; ++n) {
      ExpectSameAsReference(k, n);
    }
  }
}

// The layer computed in two parts: the first `split` inputs of row 0, then,
// from their sums on, the other inputs of every row.
std::vector<float> OutputsInParts(const PackedDense& layer, std::size_t split,
                                  std::size_t m,
                                  const std::vector<float>& input) {
  AlignedBuffer sums(PackedBiasSize(layer.n) * sizeof(float));
  PackedDense first = InputsOf(layer, 0, split);
  first.activation = Activation::kIdentity;
  Dense(first, {1, input.data(), layer.k, sums.As<float>().data(), layer.n});
  PackedDense rest = InputsOf(layer, split, layer.k - split);
  rest.bias = sums.As<float>().data();
  std::vector<float> output(m * layer.n, -1.0F);
  Dense(rest, {m, input.data() + split, layer.k, output.data(), layer.n});
  return output;
}

// `m` rows of `k` values of which the first `shared` are those of row 0.
std::vector<float> RowsAlike(std::size_t m, std::size_t k, std::size_t shared) {
  std::vector<float> input = RandomValues(m * k, /*seed=*/5);
  for (std::size_t row = 1; row < m; ++row) {
    std::copy_n(input.data(), shared, input.data() + row * k);
  }
  return input;
}

TEST_P(DenseTest, SharedInputsAddedOnceGiveTheBitsOfAllRows) {
  for (const std::size_t n : {16U, 17U, 40U, 130U}) {
    for (const std::size_t k : {1U, 7U, 33U, 64U}) {
      const Layer layer(k, n, Activation::kRelu);
      for (std::size_t split = 0; split <= k; ++split) {
        for (const std::size_t m : {1U, 2U, 7U, 13U}) {
          const std::vector<float> input = RowsAlike(m, k, split);
          ASSERT_EQ(FirstDifference(
                        OutputsInParts(layer.packed(), split, m, input),
                        Outputs(DenseReference, layer.packed(), m, input, k)),
                    "")
              << "m " << m << ", k " << k << ", n " << n << ", split " << split;
        }
      }
    }
  }
}

TEST_P(DenseTest, SharedInputsOfManyAndOfSpecialOnesGiveTheBitsOfAllRows) {
  constexpr std::size_t kRows = 30;
  for (const std::size_t k : {1300U, 2500U}) {
    const Layer layer(k, /*n=*/50, Activation::kIdentity);
    for (const std::size_t split : {16U, 1000U, 1100U}) {
      std::vector<float> input = RowsAlike(kRows, k, split);
      for (const float special :
           {0.25F, kNan, kInfinity, -kInfinity, kDenormal, -0.0F, 3e38F}) {
        for (std::size_t row = 0; row < kRows; ++row) {
          input[row * k + 3] = special;
        }
        ASSERT_EQ(FirstDifference(
                      OutputsInParts(layer.packed(), split, kRows, input),
                      Outputs(DenseReference, layer.packed(), kRows, input, k)),
                  "")
            << "k " << k << ", split " << split << ", special " << special;
      }
    }
  }
}

TEST_P(DenseTest, SumThatIsMinusZeroChangesNoBits) {
  // The bias and every product are -0 or cancel: only the sign of a zero could
  // tell where the chain was cut.
  constexpr std::size_t kInputs = 20;
  AlignedBuffer weights(PackedWeightsSize(kInputs, 16) * sizeof(float));
  AlignedBuffer bias(PackedBiasSize(16) * sizeof(float));
  std::fill_n(weights.As<float>().data(), kInputs * 16, -1.0F);
  std::fill_n(bias.As<float>().data(), 16, -0.0F);
  const PackedDense layer{.k = kInputs,
                          .n = 16,
                          .weights = weights.As<float>().data(),
                          .bias = bias.As<float>().data()};
  for (const float last : {0.0F, -0.0F, kDenormal}) {
    std::vector<float> input(2 * kInputs, 0.0F);
    input[kInputs - 1] = input[2 * kInputs - 1] = last;
    for (std::size_t split = 0; split <= kInputs; ++split) {
      ASSERT_EQ(
          FirstDifference(OutputsInParts(layer, split, 2, input),
                          Outputs(DenseReference, layer, 2, input, kInputs)),
          "")
          << split << ", last " << last;
    }
  }
}

// For every m up to 300, all rows of the batch are those that a batch of one
// gives.
void ExpectRowsIndependent(std::size_t k, std::size_t n) {
  constexpr std::size_t kMaxRows = 300;
  const Layer layer(k, n, Activation::kRelu);
  const std::vector<float> input = RandomValues(kMaxRows * k, /*seed=*/3);
  std::vector<float> alone(kMaxRows * n);
  for (std::size_t row = 0; row < kMaxRows; ++row) {
    Dense(layer.packed(), {1, input.data() + row * k, k, &alone[row * n], n});
  }
  for (std::size_t m = 1; m <= kMaxRows; ++m) {
    const std::vector<float> expected(
        alone.begin(), alone.begin() + static_cast<std::ptrdiff_t>(m * n));
    ASSERT_EQ(
        FirstDifference(Outputs(Dense, layer.packed(), m, input, k), expected),
        "")
        << "m " << m;
  }
}

TEST_P(DenseTest, RowIsTheSameInEveryBatch) {
  ExpectRowsIndependent(/*k=*/13, /*n=*/37);
  ExpectRowsIndependent(/*k=*/3, /*n=*/144);
  ExpectRowsIndependent(/*k=*/90, /*n=*/11);
}

TEST_P(DenseTest, SpecialInputsGiveTheBitsOfTheReference) {
  constexpr std::size_t kInputs = 9;
  constexpr std::size_t kRows = 7;
  for (const Activation activation :
       {Activation::kIdentity, Activation::kRelu}) {
    const Layer layer(kInputs, /*n=*/83, activation);
    for (const float special : {kNan, kInfinity, -kInfinity, kDenormal,
                                -kDenormal, 0x1p-130F, -0.0F, 3e38F}) {
      for (std::size_t place = 0; place < kInputs * kRows; ++place) {
        std::vector<float> input = RandomValues(kInputs * kRows, /*seed=*/4);
        input[place] = special;
        ASSERT_EQ(
            FirstDifference(
                Outputs(Dense, layer.packed(), kRows, input, kInputs),
                Outputs(DenseReference, layer.packed(), kRows, input, kInputs)),
            "")
            << special << " at " << place;
      }
    }
  }
}

TEST_P(DenseTest, DenormalSumsAreKept) {
  // All inputs and thus all sums are denormal.
  const Layer layer(/*k=*/5, /*n=*/35, Activation::kIdentity);
  std::vector<float> bias(PackedBiasSize(35), kDenormal);
  PackedDense denormal = layer.packed();
  AlignedBuffer memory(bias.size() * sizeof(float));
  std::copy(bias.begin(), bias.end(), memory.As<float>().begin());
  denormal.bias = memory.As<float>().data();
  const std::vector<float> input(5, 0x1p-135F);

  const std::vector<float> output = Outputs(Dense, denormal, 1, input, 5);

  EXPECT_EQ(
      FirstDifference(output, Outputs(DenseReference, denormal, 1, input, 5)),
      "");
  EXPECT_TRUE(std::ranges::none_of(output, [](float v) { return v == 0.0F; }));
}

TEST_P(DenseTest, ReluOfNanIsNan) {
  const Layer layer(/*k=*/4, /*n=*/50, Activation::kRelu);

  const std::vector<float> output = Outputs(
      Dense, layer.packed(), 1, std::vector<float>{1.0F, kNan, 2.0F, 3.0F}, 4);

  EXPECT_TRUE(std::ranges::all_of(output, [](float v) { return v != v; }));
}

TEST_P(DenseTest, NegativeZeroBecomesPositive) {
  for (const Activation activation :
       {Activation::kIdentity, Activation::kRelu}) {
    AlignedBuffer bias(PackedBiasSize(50) * sizeof(float));
    std::ranges::fill(bias.As<float>(), -0.0F);
    const PackedDense layer = {
        .n = 50, .bias = bias.As<float>().data(), .activation = activation};

    const std::vector<float> output = Outputs(Dense, layer, 2, {}, 0);

    EXPECT_EQ(FirstDifference(output, std::vector<float>(100, 0.0F)), "");
  }
}

// Float16 bits of values that have no more than its precision.
std::vector<std::uint16_t> ToHalf(const std::vector<float>& values) {
  std::vector<std::uint16_t> halves(values.size());
  std::ranges::transform(values, halves.begin(), &FloatToFp16);
  return halves;
}

std::vector<float> ToFloat(const std::vector<std::uint16_t>& halves) {
  std::vector<float> values(halves.size());
  std::ranges::transform(halves, values.begin(), &Fp16ToFloat);
  return values;
}

TEST_P(DenseTest, HalfWeightsGiveTheBitsOfTheSameWeightsInFloat) {
  for (const std::size_t k : {0U, 1U, 17U, 40U}) {
    for (std::size_t n = 1; n <= 150; n += n < 20 ? 1 : 13) {
      std::vector<std::uint16_t> weights = ToHalf(RandomValues(k * n, 1));
      if (k == 40) {
        weights[0] = 0x0001;  // The least, a denormal.
        weights[1] = 0x83FF;
        weights[2] = 0x7BFF;  // The greatest, 65504.
        weights[3 % n] = 0x8000;
      }
      const Layer layer(k, n, Activation::kRelu);
      AlignedBuffer half(PackedWeightsSize(k, n) * sizeof(std::uint16_t));
      AlignedBuffer full(PackedWeightsSize(k, n) * sizeof(float));
      PackWeights(k, n, weights.data(), half.As<std::uint16_t>().data());
      PackWeights(k, n, ToFloat(weights).data(), full.As<float>().data());
      PackedDense stored = layer.packed();
      stored.weights = nullptr;
      stored.half_weights = half.As<std::uint16_t>().data();
      PackedDense widened = layer.packed();
      widened.weights = full.As<float>().data();
      for (const std::size_t m : {1U, 2U, 5U, 6U, 13U}) {
        const std::vector<float> input = RandomValues(m * k, /*seed=*/2);
        ASSERT_EQ(
            FirstDifference(Outputs(Dense, stored, m, input, k),
                            Outputs(DenseReference, widened, m, input, k)),
            "")
            << "m " << m << ", k " << k << ", n " << n;
      }
    }
  }
}

TEST_P(DenseTest, BitsAreTheGoldenOnes) {
  const Layer layer(/*k=*/37, /*n=*/21, Activation::kRelu, /*seed=*/5);
  const std::vector<float> input = RandomValues(5 * 37, /*seed=*/6);

  EXPECT_EQ(FirstDifference(Outputs(Dense, layer.packed(), 5, input, 37),
                            ReadGolden("dense.txt")),
            "");
}

}  // namespace
}  // namespace relu::kernels
