#include "core/kernels/value_range.h"

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

using ValueRangeTest = EveryTargetTest;
INSTANTIATE_TEST_SUITE_P(Each, ValueRangeTest, EveryTarget(), TargetOf);

constexpr float kLargest = std::numeric_limits<float>::max();

// The bytes of the values `shift` behind an aligned address, and nothing behind
// them, so that a sanitizer sees what is read beyond.
class Bytes {
 public:
  explicit Bytes(const std::vector<float>& values, std::size_t shift = 0)
      : shift_(shift), bytes_(shift + values.size() * sizeof(float)) {
    if (!values.empty()) {
      std::memcpy(bytes_.data() + shift, values.data(),
                  values.size() * sizeof(float));
    }
  }
  const std::byte* data() const { return bytes_.data() + shift_; }

 private:
  std::size_t shift_;
  std::vector<std::byte> bytes_;
};

TEST_P(ValueRangeTest, FindsWhatIsNotFiniteAtEveryPlace) {
  for (std::size_t n = 0; n <= 140; ++n) {
    std::vector<float> values = RandomValues(n, /*seed=*/1);
    ASSERT_TRUE(AllFinite(n, Bytes(values).data())) << n;
    for (std::size_t i = 0; i < n; ++i) {
      const float before = values[i];
      for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
        values[i] = bad;
        ASSERT_FALSE(AllFinite(n, Bytes(values, i % 4).data())) << n << i;
      }
      for (const float good : {kLargest, -kLargest, kDenormal, -0.0F}) {
        values[i] = good;
        ASSERT_TRUE(AllFinite(n, Bytes(values, i % 4).data())) << n << i;
      }
      values[i] = before;
    }
  }
}

TEST_P(ValueRangeTest, FindsTheLargestSizeAtEveryPlace) {
  EXPECT_EQ(LargestSize(0, nullptr), 0.0F);
  for (std::size_t n = 1; n <= 140; ++n) {
    std::vector<float> values(n, -0.5F);
    ASSERT_EQ(LargestSize(n, values.data()), 0.5F) << n;
    for (std::size_t i = 0; i < n; ++i) {
      for (const float large : {0.75F, -kLargest, kInfinity}) {
        values[i] = large;
        ASSERT_EQ(LargestSize(n, values.data()), std::abs(large)) << n << i;
      }
      values[i] = -kNan;
      ASSERT_TRUE(std::isnan(LargestSize(n, values.data()))) << n << i;
      values[i] = -0.5F;
    }
  }
}

TEST_P(ValueRangeTest, FindsWhatIsOutsideAtEveryPlace) {
  for (std::size_t n = 0; n <= 70; ++n) {
    std::vector<float> values = RandomValues(n, /*seed=*/2);
    // Each on one of its bounds.
    std::vector<float> low = values;
    std::vector<float> high = values;
    for (std::size_t i = 0; i < n; ++i) {
      (i % 2 == 0 ? low : high)[i] += i % 2 == 0 ? -1.0F : 1.0F;
    }
    ASSERT_TRUE(AllWithin(n, Bytes(values).data(), low.data(), high.data()));
    for (std::size_t i = 0; i < n; ++i) {
      const float before = values[i];
      for (const float bad :
           {kNan, kInfinity, -kInfinity, low[i] - 0.5F, high[i] + 0.5F}) {
        values[i] = bad;
        ASSERT_FALSE(
            AllWithin(n, Bytes(values, i % 4).data(), low.data(), high.data()))
            << n << i << bad;
      }
      values[i] = before;
    }
  }
}

TEST_P(ValueRangeTest, InfiniteBoundsHoldEverythingButNan) {
  const std::vector<float> low(20, -kInfinity);
  const std::vector<float> high(20, kInfinity);
  std::vector<float> values(20, kInfinity);
  EXPECT_TRUE(AllWithin(20, Bytes(values).data(), low.data(), high.data()));
  values[19] = kNan;
  EXPECT_FALSE(AllWithin(20, Bytes(values).data(), low.data(), high.data()));
}

}  // namespace
}  // namespace relu::kernels
