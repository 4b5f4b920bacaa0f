#include "core/plan/common_prefix.h"

#include <cstddef>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(CommonPrefixTest, ARowAloneHasAllInCommon) {
  const std::vector<float> values = {1, 2, 3};
  EXPECT_EQ(CommonPrefix(1, 3, values.data(), 3), 3U);
  EXPECT_EQ(CommonPrefix(1, 0, values.data(), 3), 0U);
}

TEST(CommonPrefixTest, IsThatOfTheRowWithLeast) {
  constexpr std::size_t kStride = 7;
  constexpr std::size_t kColumns = 6;
  for (std::size_t first = 0; first <= kColumns; ++first) {
    for (std::size_t second = 0; second <= kColumns; ++second) {
      std::vector<float> values(3 * kStride, 1.0F);
      values[kStride + first] = 2;  // Column 6 is none of the row.
      values[2 * kStride + second] = 3;
      EXPECT_EQ(CommonPrefix(3, kColumns, values.data(), kStride),
                first < second ? first : second);
    }
  }
}

TEST(CommonPrefixTest, ValuesAreComparedByTheirBits) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values = {nan, 0.0F, 1, nan, -0.0F, 1};
  EXPECT_EQ(CommonPrefix(2, 3, values.data(), 3), 1U);
}

}  // namespace
}  // namespace relu
