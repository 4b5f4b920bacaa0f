#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

#include "core/kernels/elementwise.h"
#include "tests/core/kernels/function_testing.h"
#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

using NormalizationTest = EveryTargetTest;
INSTANTIATE_TEST_SUITE_P(Each, NormalizationTest, EveryTarget(), TargetOf);

std::vector<float> Scaled(std::size_t size, float factor) {
  std::vector<float> values = RandomValues(size, /*seed=*/11);
  for (float& value : values) {
    value *= factor;
  }
  return values;
}

TEST_P(NormalizationTest, LogSoftmaxIsAsExactAsDocumented) {
  for (const std::size_t size : {1U, 2U, 15U, 16U, 17U, 100U, 3000U}) {
    const std::vector<float> input = Scaled(size, 20.0F);
    const auto max = static_cast<double>(*std::ranges::max_element(input));
    double rest = 0.0;  // The sum but for the largest, which is 1.
    for (const float value : input) {
      rest += std::exp(static_cast<double>(value) - max);
    }

    const std::vector<float> output = ApplyTo(LogSoftmax, input);

    for (std::size_t i = 0; i < size; ++i) {
      const double exact =
          static_cast<double>(input[i]) - max - std::log1p(rest - 1.0);
      EXPECT_NEAR(static_cast<double>(output[i]), exact,
                  3e-7 * std::abs(exact));
    }
  }
}

TEST_P(NormalizationTest, LogSoftmaxWithNanOrInfiniteMaximumIsNan) {
  for (const float odd : {kNan, kInfinity}) {
    const std::vector<float> output = ApplyTo(LogSoftmax, {1.0F, odd, 2.0F});
    EXPECT_EQ(FirstDifference(output, {kNan, kNan, kNan}), "");
  }
}

TEST_P(NormalizationTest, LogSoftmaxOfMinusInfinityIsMinusInfinity) {
  EXPECT_EQ(ApplyTo(LogSoftmax, {5.0F, -kInfinity}),
            (std::vector<float>{0.0F, -kInfinity}));
}

TEST_P(NormalizationTest, LogSoftmaxStaysWithinItsRow) {
  ExpectStaysWithin(LogSoftmax);
}

TEST_P(NormalizationTest, LogSoftmaxHasTheBitsOfPortableCode) {
  for (const std::size_t size : {1U, 3U, 15U, 17U, 1003U}) {
    SCOPED_TRACE(size);
    ExpectBitsOfPortableCode(LogSoftmax, Scaled(size, 60.0F));
    hwy::SetSupportedTargetsForTest(GetParam());
  }
}

void Normalize(std::size_t size, const float* input, float* output) {
  const std::vector<float> scale = RandomValues(size, /*seed=*/21);
  const std::vector<float> shift = RandomValues(size, /*seed=*/22);
  LayerNorm({.scale = scale.data(), .shift = shift.data(), .epsilon = 1e-5F},
            size, input, output);
}

TEST_P(NormalizationTest, LayerNormFollowsItsDefinition) {
  for (const std::size_t size : {1U, 2U, 7U, 8U, 9U, 31U, 64U, 1000U}) {
    const std::vector<float> input = Scaled(size, 3.0F);
    const std::vector<float> scale = RandomValues(size, /*seed=*/21);
    const std::vector<float> shift = RandomValues(size, /*seed=*/22);
    double mean = 0.0;
    for (const float value : input) {
      mean += static_cast<double>(value) / static_cast<double>(size);
    }
    double variance = 0.0;
    for (const float value : input) {
      variance += std::pow(static_cast<double>(value) - mean, 2.0) /
                  static_cast<double>(size);
    }

    const std::vector<float> output = ApplyTo(Normalize, input);

    for (std::size_t i = 0; i < size; ++i) {
      const double normal = (static_cast<double>(input[i]) - mean) /
                            std::sqrt(variance + static_cast<double>(1e-5F));
      EXPECT_NEAR(static_cast<double>(output[i]),
                  normal * static_cast<double>(scale[i]) +
                      static_cast<double>(shift[i]),
                  2e-7);
    }
  }
}

TEST_P(NormalizationTest, LayerNormWorksInPlaceAndWithoutShift) {
  std::vector<float> values = {1.0F, 3.0F};
  const std::vector<float> scale = {1.0F, 2.0F};
  LayerNorm({.scale = scale.data()}, 2, values.data(), values.data());
  EXPECT_EQ(values, (std::vector<float>{-1.0F, 2.0F}));
}

TEST_P(NormalizationTest, LayerNormWithNanIsNan) {
  EXPECT_EQ(FirstDifference(ApplyTo(Normalize, {1.0F, kNan, 2.0F}),
                            {kNan, kNan, kNan}),
            "");
}

TEST_P(NormalizationTest, LayerNormHasTheBitsOfPortableCode) {
  for (const std::size_t size : {5U, 16U, 1003U}) {
    ExpectBitsOfPortableCode(Normalize, Scaled(size, 60.0F));
    hwy::SetSupportedTargetsForTest(GetParam());
  }
}

TEST_P(NormalizationTest, BitsAreTheGoldenOnes) {
  ExpectGoldenBits("log_softmax", ApplyTo(LogSoftmax, Scaled(1003, 60.0F)));
  ExpectGoldenBits("layer_norm", ApplyTo(Normalize, Scaled(1003, 60.0F)));
}

}  // namespace
}  // namespace relu::kernels
