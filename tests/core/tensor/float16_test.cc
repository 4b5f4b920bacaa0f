#include "core/tensor/float16.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace relu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The two formats by their definition: sign, exponent bits, mantissa bits.
struct Format {
  int exponent_bits;
  int mantissa_bits;
};
constexpr Format kFp16 = {5, 10};
constexpr Format kBf16 = {8, 7};

// The value of the bits without their sign, in exact double arithmetic; the
// exponent after the last finite one, of infinity and NaN, is read as if it
// were finite.
double Magnitude(const Format& format, std::uint32_t bits) {
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const std::uint32_t mantissa = bits & ((1U << format.mantissa_bits) - 1);
  const int exponent = static_cast<int>(bits >> format.mantissa_bits);
  if (exponent == 0) {
    return std::ldexp(mantissa, 1 - bias - format.mantissa_bits);
  }
  return std::ldexp((1U << format.mantissa_bits) + mantissa,
                    exponent - bias - format.mantissa_bits);
}

std::uint32_t InfinityBits(const Format& format) {
  return ((1U << format.exponent_bits) - 1) << format.mantissa_bits;
}

// Rounds by the definition of IEEE 754: the nearest value, of two equally near
// ones that with an even last bit, and infinity from where the next power of
// two would be nearer. Searches all values: slow and plain.
std::uint16_t Rounded(const Format& format, float value) {
  const double magnitude = std::fabs(static_cast<double>(value));
  const std::uint32_t sign = std::signbit(value) ? 0x8000U : 0;
  std::uint32_t low = 0;
  std::uint32_t high = InfinityBits(format);
  if (magnitude >= Magnitude(format, high)) {
    return static_cast<std::uint16_t>(sign | high);
  }
  while (high - low > 1) {
    const std::uint32_t middle = (low + high) / 2;
    (Magnitude(format, middle) <= magnitude ? low : high) = middle;
  }
  const double below = magnitude - Magnitude(format, low);
  const double above = Magnitude(format, high) - magnitude;
  const bool up = above < below || (above == below && low % 2 == 1);
  return static_cast<std::uint16_t>(sign | (up ? high : low));
}

// Every float32 within a few steps of each value of the format, of each middle
// between two, and of the ends.
template <typename Test>
void ForFloatsAroundEveryValue(const Format& format, const Test& test) {
  for (std::uint32_t bits = 0; bits <= InfinityBits(format); ++bits) {
    const double value = Magnitude(format, bits);
    const double middle = (value + Magnitude(format, bits + 1)) / 2;
    for (const double center : {value, middle}) {
      const auto nearest = std::bit_cast<std::uint32_t>(
          static_cast<float>(std::fmin(center, 3.4e38)));
      for (std::uint32_t step = 0; step < 5; ++step) {
        const std::uint32_t neighbour = nearest + step - 2;
        if (neighbour < 0x7F800000U) {  // Below 0 it wraps around.
          test(std::bit_cast<float>(neighbour));
          test(-std::bit_cast<float>(neighbour));
        }
      }
    }
  }
}

TEST(Float16Test, EveryFp16WidensExactly) {
  for (std::uint32_t bits = 0; bits <= 0xFFFFU; ++bits) {
    const float value = Fp16ToFloat(static_cast<std::uint16_t>(bits));
    const std::uint32_t magnitude = bits & 0x7FFFU;
    ASSERT_EQ(std::signbit(value), bits > 0x7FFFU) << bits;
    if (magnitude > InfinityBits(kFp16)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
    } else if (magnitude == InfinityBits(kFp16)) {
      ASSERT_TRUE(std::isinf(value)) << bits;
    } else {
      ASSERT_EQ(std::fabs(static_cast<double>(value)),
                Magnitude(kFp16, magnitude))
          << bits;
    }
  }
}

TEST(Float16Test, EveryBf16WidensExactly) {
  for (std::uint32_t bits = 0; bits <= 0xFFFFU; ++bits) {
    const float value = Bf16ToFloat(static_cast<std::uint16_t>(bits));
    const std::uint32_t magnitude = bits & 0x7FFFU;
    ASSERT_EQ(std::signbit(value), bits > 0x7FFFU) << bits;
    if (magnitude > InfinityBits(kBf16)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
    } else if (magnitude == InfinityBits(kBf16)) {
      ASSERT_TRUE(std::isinf(value)) << bits;
    } else {
      ASSERT_EQ(std::fabs(static_cast<double>(value)),
                Magnitude(kBf16, magnitude))
          << bits;
    }
  }
}

TEST(Float16Test, EveryFp16SurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits <= 0xFFFFU; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const std::uint16_t back = FloatToFp16(Fp16ToFloat(half));
    if ((bits & 0x7FFFU) > InfinityBits(kFp16)) {
      ASSERT_EQ(back, (bits & 0x8000U) | 0x7E00U) << bits;  // A quiet NaN.
    } else {
      ASSERT_EQ(back, half) << bits;
    }
  }
}

TEST(Float16Test, EveryBf16SurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits <= 0xFFFFU; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const std::uint16_t back = FloatToBf16(Bf16ToFloat(half));
    if ((bits & 0x7FFFU) > InfinityBits(kBf16)) {
      ASSERT_EQ(back, bits | 0x40U) << bits;  // Quiet, payload kept.
    } else {
      ASSERT_EQ(back, half) << bits;
    }
  }
}

TEST(Float16Test, FloatToFp16RoundsToNearestEven) {
  ForFloatsAroundEveryValue(kFp16, [](float value) {
    ASSERT_EQ(FloatToFp16(value), Rounded(kFp16, value)) << value;
  });
}

TEST(Float16Test, FloatToBf16RoundsToNearestEven) {
  ForFloatsAroundEveryValue(kBf16, [](float value) {
    ASSERT_EQ(FloatToBf16(value), Rounded(kBf16, value)) << value;
  });
}

TEST(Float16Test, FloatToFp16OverflowsToInfinityFrom65520) {
  EXPECT_EQ(FloatToFp16(65504.0F), 0x7BFF);
  EXPECT_EQ(FloatToFp16(std::nextafter(65520.0F, 0.0F)), 0x7BFF);
  EXPECT_EQ(FloatToFp16(65520.0F), 0x7C00);
  EXPECT_EQ(FloatToFp16(-65520.0F), 0xFC00);
  EXPECT_EQ(FloatToFp16(std::numeric_limits<float>::max()), 0x7C00);
  EXPECT_EQ(FloatToFp16(kInfinity), 0x7C00);
  EXPECT_EQ(FloatToFp16(-kInfinity), 0xFC00);
}

TEST(Float16Test, FloatToBf16OverflowsToInfinityAtTheEnd) {
  EXPECT_EQ(FloatToBf16(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_EQ(FloatToBf16(-std::numeric_limits<float>::max()), 0xFF80);
  EXPECT_EQ(FloatToBf16(kInfinity), 0x7F80);
  EXPECT_EQ(FloatToBf16(-kInfinity), 0xFF80);
}

TEST(Float16Test, TinyValuesBecomeZeroOfTheSameSign) {
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(FloatToFp16(kTiny), 0x0000);
  EXPECT_EQ(FloatToFp16(-kTiny), 0x8000);
  EXPECT_EQ(FloatToFp16(0x1p-25F), 0x0000);  // A tie: to even.
  EXPECT_EQ(FloatToFp16(std::nextafter(0x1p-25F, 1.0F)), 0x0001);
  EXPECT_EQ(FloatToBf16(kTiny), 0x0000);
  EXPECT_EQ(FloatToBf16(-kTiny), 0x8000);
}

TEST(Float16Test, NanStaysNanWhateverItsPayload) {
  for (const std::uint32_t bits :
       {0x7F800001U, 0x7FC00000U, 0x7FFFFFFFU, 0xFF800001U, 0xFFFFFFFFU}) {
    const float nan = std::bit_cast<float>(bits);
    EXPECT_TRUE(std::isnan(Fp16ToFloat(FloatToFp16(nan)))) << bits;
    EXPECT_TRUE(std::isnan(Bf16ToFloat(FloatToBf16(nan)))) << bits;
  }
}

}  // namespace
}  // namespace relu
