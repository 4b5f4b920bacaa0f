#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/kernels/kernels.h"
#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

using SparseRowTest = EveryTargetTest;
INSTANTIATE_TEST_SUITE_P(Each, SparseRowTest, EveryTarget(), TargetOf);

struct Lists {
  std::vector<std::uint32_t> indices;
  std::vector<float> values;
};

Lists ListsOf(const std::vector<float>& input) {
  // Exactly the room that is promised, so that a sanitizer sees what is written
  // beyond.
  std::vector<std::uint32_t> indices(input.size() + kSparseRowPadding, 77);
  std::vector<float> values(input.size() + kSparseRowPadding);
  const SparseRow row =
      ListNonZeros(input.size(), input.data(), indices.data(), values.data());
  EXPECT_EQ(row.indices, indices.data());
  EXPECT_EQ(row.values, values.data());
  return {{row.indices, row.indices + row.count},
          {row.values, row.values + row.count}};
}

TEST_P(SparseRowTest, ListsAndCountsWhatIsNotZeroForEverySize) {
  for (std::size_t k = 0; k <= 70; ++k) {
    std::vector<float> input = RandomValues(k, /*seed=*/1);
    Lists expected;
    for (std::size_t i = 0; i < k; ++i) {
      if (i % 3 != k % 3) {
        expected.indices.push_back(static_cast<std::uint32_t>(i));
        expected.values.push_back(input[i]);
      } else {
        input[i] = i % 2 == 0 ? 0.0F : -0.0F;
      }
    }

    const Lists lists = ListsOf(input);

    EXPECT_EQ(lists.indices, expected.indices) << k;
    EXPECT_EQ(FirstDifference(lists.values, expected.values), "") << k;
    EXPECT_EQ(CountNonZeros(k, input.data()), expected.indices.size()) << k;
  }
}

TEST_P(SparseRowTest, EveryPatternOfSixteenIsListed) {
  for (std::uint32_t pattern = 0; pattern < 1U << 16U; ++pattern) {
    std::vector<float> input(16);
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = 0; i < 16; ++i) {
      if ((pattern >> i & 1U) != 0) {
        input[i] = static_cast<float>(i) + 1;
        expected.push_back(i);
      }
    }
    const Lists lists = ListsOf(input);
    ASSERT_EQ(lists.indices, expected) << pattern;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(lists.values[i], input[expected[i]]) << pattern;
    }
  }
}

TEST_P(SparseRowTest, ListHoldsAllWhereNothingIsZero) {
  const std::vector<float> input(100, 1.0F);
  std::vector<std::uint32_t> all(100);
  std::iota(all.begin(), all.end(), 0U);
  EXPECT_EQ(ListsOf(input).indices, all);
}

TEST_P(SparseRowTest, NanInfinityAndDenormalAreNotZero) {
  // In whole vectors, and in what is left of one.
  std::vector<float> input(35, 0.0F);
  input[0] = kNan;
  input[2] = kDenormal;
  input[3] = -kInfinity;
  input[34] = kNan;
  EXPECT_THAT(ListsOf(input).indices, testing::ElementsAre(0, 2, 3, 34));
  EXPECT_EQ(CountNonZeros(input.size(), input.data()), 4U);
}

}  // namespace
}  // namespace relu::kernels
