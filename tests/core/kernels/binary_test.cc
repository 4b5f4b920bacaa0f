#include <cmath>
#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

#include "core/kernels/elementwise.h"
#include "tests/core/kernels/function_testing.h"
#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

using BinaryTest = EveryTargetTest;
INSTANTIATE_TEST_SUITE_P(Each, BinaryTest, EveryTarget(), TargetOf);

float ValueOf(BinaryFunction function, float x, float y) {
  float output = 0.0F;
  Apply(function, 1, &x, &y, &output);
  return output;
}

constexpr BinaryFunction kFunctions[] = {
    BinaryFunction::kAdd, BinaryFunction::kDiv, BinaryFunction::kMax,
    BinaryFunction::kMin, BinaryFunction::kMul, BinaryFunction::kPRelu,
    BinaryFunction::kPow, BinaryFunction::kSub,
};

// The definition in scalar code.
float Expected(BinaryFunction function, float x, float y) {
  if (function != BinaryFunction::kPow && (std::isnan(x) || std::isnan(y))) {
    const bool y_counts = function != BinaryFunction::kPRelu || x < 0.0F;
    return std::isnan(x) || y_counts ? kNan : x;
  }
  switch (function) {
    case BinaryFunction::kAdd:
      return x + y;
    case BinaryFunction::kDiv:
      return x / y;
    case BinaryFunction::kMax:
      return x < y ? y : x;
    case BinaryFunction::kMin:
      return y < x ? y : x;
    case BinaryFunction::kMul:
      return x * y;
    case BinaryFunction::kPRelu:
      return x < 0.0F ? x * y : x;
    case BinaryFunction::kPow:
      return ValueOf(BinaryFunction::kPow, x, y);
    case BinaryFunction::kSub:
      return x - y;
  }
  return 0.0F;
}

TEST_P(BinaryTest, FunctionsFollowTheirDefinitionsAtEverySize) {
  std::vector<float> pool = Sweep(/*step=*/20'000'003);
  pool.insert(pool.end(), {kNan, 0.0F, -0.0F, 1.0F, -1.0F, 2.5F});
  for (const BinaryFunction function : kFunctions) {
    for (std::size_t size = 0; size <= 40; ++size) {
      std::vector<float> x(size);
      std::vector<float> y(size);
      std::vector<float> expected(size);
      for (std::size_t i = 0; i < size; ++i) {
        x[i] = pool[(size * 7919 + i * 104729) % pool.size()];
        y[i] = pool[(size * 104723 + i * 7907) % pool.size()];
        expected[i] = Expected(function, x[i], y[i]);
      }
      std::vector<float> output(size + 1, -77.0F);

      Apply(function, size, x.data(), y.data(), output.data());

      EXPECT_EQ(output.back(), -77.0F);
      output.pop_back();
      EXPECT_EQ(FirstDifference(output, expected), "")
          << static_cast<int>(function) << " of size " << size;
      Apply(function, size, x.data(), y.data(), y.data());
      EXPECT_EQ(FirstDifference(y, expected), "") << "in place";
    }
  }
}

TEST_P(BinaryTest, FunctionsStayWithinTheirRows) {
  for (const BinaryFunction function : kFunctions) {
    ExpectStaysWithin([=](std::size_t size, const float* input, float* output) {
      Apply(function, size, input, input, output);
    });
  }
  ExpectStaysWithin([](std::size_t size, const float* input, float* output) {
    Affine(size, input, input, input, output);
  });
}

TEST_P(BinaryTest, AffineRoundsOnce) {
  for (std::size_t size = 0; size <= 40; ++size) {
    std::vector<float> x = RandomValues(size, /*seed=*/1);
    const std::vector<float> scale = RandomValues(size, /*seed=*/2);
    const std::vector<float> shift = RandomValues(size, /*seed=*/3);
    std::vector<float> expected(size);
    for (std::size_t i = 0; i < size; ++i) {
      expected[i] = std::fma(x[i], scale[i], shift[i]);
    }

    Affine(size, x.data(), scale.data(), shift.data(), x.data());

    EXPECT_EQ(FirstDifference(x, expected), "") << "size " << size;
  }
}

}  // namespace
}  // namespace relu::kernels
