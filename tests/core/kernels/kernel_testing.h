// What the tests of the kernels share: a test that runs once for each
// instruction set of this CPU, the comparison of bits, and seeded values.

#ifndef TESTS_CORE_KERNELS_KERNEL_TESTING_H_
#define TESTS_CORE_KERNELS_KERNEL_TESTING_H_

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "core/kernels/targets.h"

// After targets.h, which chooses what it counts.
#include "hwy/targets.h"

namespace relu::kernels {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kDenormal = std::numeric_limits<float>::denorm_min();

// While a test of this kind runs, the kernels use one instruction set: the
// parameter.
class EveryTargetTest : public testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override { hwy::SetSupportedTargetsForTest(GetParam()); }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }
};

inline std::string TargetOf(const testing::TestParamInfo<std::int64_t>& info) {
  return hwy::TargetName(info.param);
}

// For INSTANTIATE_TEST_SUITE_P: all targets that are compiled and that this CPU
// has, the portable one included.
inline auto EveryTarget() {
  return testing::ValuesIn(hwy::SupportedAndGeneratedTargets());
}

// Equal to the bit. All NaNs are the same.
inline bool SameBits(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

// Where the first difference is, for EXPECT_EQ(FirstDifference(..), ""). The
// empty text if there is none.
inline std::string FirstDifference(const std::vector<float>& actual,
                                   const std::vector<float>& expected) {
  if (actual.size() != expected.size()) {
    return "sizes " + std::to_string(actual.size()) + " and " +
           std::to_string(expected.size());
  }
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (!SameBits(actual[i], expected[i])) {
      return "at " + std::to_string(i) + ": " +
             testing::PrintToString(actual[i]) + " instead of " +
             testing::PrintToString(expected[i]);
    }
  }
  return "";
}

// `size` values in [-1, 1), the same on every machine.
inline std::vector<float> RandomValues(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(size);
  for (float& value : values) {
    value = static_cast<float>(random() >> 8U) * 0x1p-23F - 1.0F;
  }
  return values;
}

// The floats of a file of tests/testdata/golden: the bits of each as eight
// hexadecimal digits, between white space, after lines that begin with '#'.
inline std::vector<float> ReadGolden(const std::string& name) {
  std::ifstream file("tests/testdata/golden/" + name);
  for (std::string comment; file.peek() == '#';) {
    std::getline(file, comment);
  }
  std::vector<float> values;
  for (std::uint32_t bits = 0; file >> std::hex >> bits;) {
    values.push_back(std::bit_cast<float>(bits));
  }
  EXPECT_FALSE(values.empty()) << name << " is missing or empty";
  return values;
}

}  // namespace relu::kernels

#endif  // TESTS_CORE_KERNELS_KERNEL_TESTING_H_
