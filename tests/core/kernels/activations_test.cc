#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "core/kernels/elementwise.h"
#include "tests/core/kernels/function_testing.h"
#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

using ActivationsTest = EveryTargetTest;
INSTANTIATE_TEST_SUITE_P(Each, ActivationsTest, EveryTarget(), TargetOf);

void Relu(std::size_t size, const float* input, float* output) {
  Apply(Function::kRelu, {}, size, input, output);
}

void Sigmoid(std::size_t size, const float* input, float* output) {
  Apply(Function::kSigmoid, {}, size, input, output);
}

void Tanh(std::size_t size, const float* input, float* output) {
  Apply(Function::kTanh, {}, size, input, output);
}

double ExactTanh(double x) { return std::tanh(x); }

// The golden file holds pairs: an input and its output.
void ExpectGolden(const RowKernel& kernel, const std::string& file) {
  const std::vector<float> pairs = ReadGolden(file);
  std::vector<float> input;
  std::vector<float> expected;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    input.push_back(pairs[i]);
    expected.push_back(pairs[i + 1]);
  }
  EXPECT_EQ(FirstDifference(ApplyTo(kernel, input), expected), "");
}

TEST_P(ActivationsTest, ReluCutsNegativeValues) {
  for (const float x : Sweep()) {
    ASSERT_EQ(ApplyToOne(Relu, x), x < 0.0F ? 0.0F : x);
  }
}

TEST_P(ActivationsTest, ReluOfNanIsNan) {
  EXPECT_TRUE(std::isnan(ApplyToOne(Relu, kNan)));
  EXPECT_TRUE(std::isnan(ApplyToOne(Relu, -kNan)));
}

TEST_P(ActivationsTest, ReluOfNegativeZeroIsPositiveZero) {
  EXPECT_TRUE(SameBits(ApplyToOne(Relu, -0.0F), 0.0F));
}

TEST_P(ActivationsTest, ReluIsElementwise) { ExpectElementwise(Relu); }

TEST_P(ActivationsTest, SigmoidIsAsExactAsDocumented) {
  EXPECT_LT(WorstError(Sigmoid, ExactSigmoid, Sweep()), 2e-7);
  EXPECT_LT(WorstError(Sigmoid, ExactSigmoid, DenseSweep()), 2e-7);
}

TEST_P(ActivationsTest, SigmoidHasItsLimits) {
  EXPECT_EQ(ApplyToOne(Sigmoid, kInfinity), 1.0F);
  EXPECT_EQ(ApplyToOne(Sigmoid, 1e30F), 1.0F);
  EXPECT_EQ(ApplyToOne(Sigmoid, -kInfinity), 0.0F);
  EXPECT_EQ(ApplyToOne(Sigmoid, -1e30F), 0.0F);
  EXPECT_EQ(ApplyToOne(Sigmoid, 0.0F), 0.5F);
  EXPECT_EQ(ApplyToOne(Sigmoid, -0.0F), 0.5F);
  EXPECT_EQ(ApplyToOne(Sigmoid, -kDenormal), 0.5F);
  EXPECT_TRUE(std::isnan(ApplyToOne(Sigmoid, kNan)));
  EXPECT_TRUE(std::isnan(ApplyToOne(Sigmoid, -kNan)));
}

TEST_P(ActivationsTest, SigmoidReachesDenormals) {
  // exp(-100), between two multiples of the smallest denormal.
  EXPECT_EQ(ApplyToOne(Sigmoid, -100.0F), 27 * kDenormal);
}

TEST_P(ActivationsTest, SigmoidIsElementwise) { ExpectElementwise(Sigmoid); }

TEST_P(ActivationsTest, SigmoidHasTheBitsOfPortableCode) {
  ExpectBitsOfPortableCode(Sigmoid, Sweep());
}

TEST_P(ActivationsTest, SigmoidHasTheGoldenBits) {
  ExpectGolden(Sigmoid, "sigmoid.txt");
}

TEST_P(ActivationsTest, TanhIsAsExactAsDocumented) {
  EXPECT_LT(WorstError(Tanh, ExactTanh, Sweep()), 2e-7);
  EXPECT_LT(WorstError(Tanh, ExactTanh, DenseSweep()), 2e-7);
}

TEST_P(ActivationsTest, TanhHasItsLimits) {
  EXPECT_EQ(ApplyToOne(Tanh, kInfinity), 1.0F);
  EXPECT_EQ(ApplyToOne(Tanh, 3e38F), 1.0F);
  EXPECT_EQ(ApplyToOne(Tanh, -kInfinity), -1.0F);
  EXPECT_EQ(ApplyToOne(Tanh, -3e38F), -1.0F);
  EXPECT_TRUE(SameBits(ApplyToOne(Tanh, 0.0F), 0.0F));
  EXPECT_TRUE(SameBits(ApplyToOne(Tanh, -0.0F), -0.0F));
  EXPECT_EQ(ApplyToOne(Tanh, kDenormal), kDenormal);
  EXPECT_EQ(ApplyToOne(Tanh, -kDenormal), -kDenormal);
  EXPECT_TRUE(std::isnan(ApplyToOne(Tanh, kNan)));
  EXPECT_TRUE(std::isnan(ApplyToOne(Tanh, -kNan)));
}

TEST_P(ActivationsTest, TanhIsElementwise) { ExpectElementwise(Tanh); }

TEST_P(ActivationsTest, TanhHasTheBitsOfPortableCode) {
  ExpectBitsOfPortableCode(Tanh, Sweep());
}

TEST_P(ActivationsTest, TanhHasTheGoldenBits) {
  ExpectGolden(Tanh, "tanh.txt");
}

TEST_P(ActivationsTest, SoftmaxIsAsExactAsDocumented) {
  for (const std::size_t size : {1U, 2U, 15U, 16U, 17U, 100U, 5000U}) {
    std::vector<float> input = RandomValues(size, /*seed=*/7);
    for (float& value : input) {
      value *= 20.0F;
    }
    const float max = *std::ranges::max_element(input);
    double sum = 0.0;
    for (const float value : input) {
      sum += std::exp(static_cast<double>(value - max));
    }

    const std::vector<float> output = ApplyTo(Softmax, input);

    for (std::size_t i = 0; i < size; ++i) {
      const double exact = std::exp(static_cast<double>(input[i] - max)) / sum;
      EXPECT_NEAR(static_cast<double>(output[i]) / exact, 1.0, 3e-7);
    }
  }
}

TEST_P(ActivationsTest, SoftmaxOfOneValueIsOne) {
  EXPECT_EQ(ApplyToOne(Softmax, -5.0F), 1.0F);
}

TEST_P(ActivationsTest, SoftmaxOfLargeValuesDoesNotOverflow) {
  EXPECT_EQ(ApplyTo(Softmax, {3e38F, 3e38F, -3e38F, -kInfinity}),
            (std::vector<float>{0.5F, 0.5F, 0.0F, 0.0F}));
}

TEST_P(ActivationsTest, SoftmaxWithNanIsNanEverywhere) {
  for (std::size_t place = 0; place < 21; ++place) {
    std::vector<float> input = RandomValues(21, /*seed=*/8);
    input[place] = kNan;
    EXPECT_EQ(
        FirstDifference(ApplyTo(Softmax, input), std::vector<float>(21, kNan)),
        "");
  }
}

TEST_P(ActivationsTest, SoftmaxWithoutFiniteMaximumIsNan) {
  EXPECT_EQ(
      FirstDifference(ApplyTo(Softmax, {-kInfinity, -kInfinity}), {kNan, kNan}),
      "");
  EXPECT_EQ(FirstDifference(ApplyTo(Softmax, {kInfinity, 1.0F}), {kNan, kNan}),
            "");
}

TEST_P(ActivationsTest, SoftmaxWorksInPlace) {
  const std::vector<float> input = RandomValues(37, /*seed=*/9);
  std::vector<float> in_place = input;

  Softmax(in_place.size(), in_place.data(), in_place.data());

  EXPECT_EQ(FirstDifference(in_place, ApplyTo(Softmax, input)), "");
}

TEST_P(ActivationsTest, SoftmaxStaysWithinItsRow) {
  ExpectStaysWithin(Softmax);
}

TEST_P(ActivationsTest, SoftmaxHasTheBitsOfPortableCode) {
  for (const std::size_t size : {1U, 3U, 8U, 15U, 16U, 17U, 33U, 1003U}) {
    SCOPED_TRACE(size);
    std::vector<float> input = RandomValues(size, /*seed=*/10);
    for (float& value : input) {
      value *= 60.0F;
    }
    ExpectBitsOfPortableCode(Softmax, input);
    hwy::SetSupportedTargetsForTest(GetParam());
  }
}

TEST_P(ActivationsTest, SoftmaxHasTheGoldenBits) {
  ExpectGolden(Softmax, "softmax.txt");
}

}  // namespace
}  // namespace relu::kernels
