#include "core/kernels/piecewise.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

using PiecewiseTest = EveryTargetTest;
INSTANTIATE_TEST_SUITE_P(Each, PiecewiseTest, EveryTarget(), TargetOf);

constexpr std::size_t kMostValues = 70;

// In the order that piecewise.h states.
template <typename Term>
double SumInOrder(std::size_t size, const Term& term) {
  std::vector<double> sums(8);
  const std::size_t together = size / 8 * 8;
  for (std::size_t i = 0; i < together; ++i) {
    sums[i % 8] += term(i);
  }
  double sum = 0;
  for (std::size_t i = together; i < size; ++i) {
    sum += term(i);
  }
  for (const double part : sums) {
    sum += part;
  }
  return sum;
}

std::vector<double> Doubles(const std::vector<float>& floats) {
  std::vector<double> doubles(floats.begin(), floats.end());
  for (double& value : doubles) {
    value /= 3;
  }
  return doubles;
}

TEST_P(PiecewiseTest, AppliesTheLineOfEachSide) {
  const TwoLines function{.beyond = 0.25F,
                          .low = {.slope = -0.3F, .offset = 0.7F},
                          .high = {.slope = 1.7F, .offset = 0.2F}};
  for (std::size_t size = 0; size <= kMostValues; ++size) {
    std::vector<float> input = RandomValues(size, /*seed=*/1);
    if (size > 2) {
      input[size - 1] = 0.25F;
      input[0] = kNan;
    }
    std::vector<float> want(size);
    for (std::size_t i = 0; i < size; ++i) {
      const Line& line = input[i] > 0.25F ? function.high : function.low;
      want[i] =
          std::isnan(input[i]) ? kNan : line.slope * input[i] + line.offset;
    }
    std::vector<float> found(size);
    Apply(function, size, input.data(), found.data());
    ASSERT_EQ(FirstDifference(found, want), "") << size;
  }
}

TEST_P(PiecewiseTest, InfinityIsFiniteOnALevelLine) {
  const TwoLines function{
      .beyond = 0, .low = {.slope = 0, .offset = 3}, .high = {}};
  const std::vector<float> input = {-kInfinity, kInfinity};
  std::vector<float> output(2);
  Apply(function, 2, input.data(), output.data());
  EXPECT_EQ(output, (std::vector<float>{3, kInfinity}));
}

TEST_P(PiecewiseTest, AddsTheSlopeOfEachSide) {
  const TwoLines function{.beyond = 0.25F,
                          .low = {.slope = -0.3F, .offset = 0.7F},
                          .high = {.slope = 1.7F, .offset = 0.2F}};
  for (std::size_t size = 0; size <= kMostValues; ++size) {
    std::vector<float> input = RandomValues(size, /*seed=*/1);
    if (size > 0) {
      input[size - 1] = kNan;
    }
    const std::vector<float> adjoints = RandomValues(size, /*seed=*/2);
    std::vector<float> found = RandomValues(size, /*seed=*/3);
    std::vector<float> want = found;
    for (std::size_t i = 0; i < size; ++i) {
      want[i] += (input[i] > 0.25F ? 1.7F : -0.3F) * adjoints[i];
    }
    AddSlopes(function, size, input.data(), adjoints.data(), found.data());
    ASSERT_EQ(FirstDifference(found, want), "") << size;
  }
}

TEST_P(PiecewiseTest, CountsWhatIsNearAKink) {
  for (std::size_t size = 0; size <= kMostValues; ++size) {
    const std::vector<float> values = RandomValues(size, /*seed=*/1);
    const std::vector<float> slopes = RandomValues(size, /*seed=*/2);
    const std::vector<float> offsets = RandomValues(size, /*seed=*/3);
    std::size_t want = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const float limit = 0.7F * slopes[i] + offsets[i];
      want += std::abs(values[i] - 0.1F) < limit ? 1U : 0U;
    }
    ASSERT_EQ(CountNear(0.1F, 0.7F, size, values.data(), slopes.data(),
                        offsets.data()),
              want)
        << size;
  }
}

TEST_P(PiecewiseTest, SumsAreTakenInOneOrder) {
  for (std::size_t size = 0; size <= kMostValues; ++size) {
    const std::vector<float> a = RandomValues(size, /*seed=*/1);
    const std::vector<float> b = RandomValues(size, /*seed=*/2);
    const std::vector<double> values = Doubles(a);
    ASSERT_EQ(Sum(size, values.data()),
              SumInOrder(size, [&](std::size_t i) { return values[i]; }))
        << size;
    ASSERT_EQ(SumOfProducts(size, a.data(), b.data()),
              SumInOrder(size,
                         [&](std::size_t i) {
                           return static_cast<double>(a[i]) *
                                  static_cast<double>(b[i]);
                         }))
        << size;
  }
}

TEST_P(PiecewiseTest, ContributionsAreAdded) {
  for (std::size_t size = 0; size <= kMostValues; ++size) {
    const std::vector<float> slopes = RandomValues(size, /*seed=*/1);
    const std::vector<float> values = RandomValues(size, /*seed=*/2);
    std::vector<double> gradient(size);
    std::vector<double> found = Doubles(slopes);
    std::vector<double> want = found;
    for (std::size_t i = 0; i < size; ++i) {
      want[i] +=
          static_cast<double>(slopes[i]) * static_cast<double>(values[i]);
    }
    AddContributions(size, slopes.data(), values.data(), gradient.data(),
                     found.data());
    ASSERT_EQ(found, want) << size;
    ASSERT_EQ(gradient, std::vector<double>(slopes.begin(), slopes.end()));
  }
}

TEST_P(PiecewiseTest, RoundsToFloatsAndFindsWhatIsNotFinite) {
  for (std::size_t size = 0; size <= kMostValues; ++size) {
    std::vector<double> numbers = Doubles(RandomValues(size, /*seed=*/1));
    std::vector<double> rounded(size);
    ASSERT_TRUE(RoundToFloats(size, numbers.data(), rounded.data())) << size;
    for (std::size_t i = 0; i < size; ++i) {
      ASSERT_EQ(rounded[i],
                static_cast<double>(static_cast<float>(numbers[i])));
    }
    for (std::size_t i = 0; i < size; ++i) {
      const double before = numbers[i];
      for (const double bad : {1e39, -1e39, std::nan("")}) {
        numbers[i] = bad;
        ASSERT_FALSE(RoundToFloats(size, numbers.data(), rounded.data())) << i;
      }
      numbers[i] = before;
    }
  }
}

}  // namespace
}  // namespace relu::kernels
