// AllFinite(), AllWithin() and LargestSize() for every instruction set.

#include "core/kernels/value_range.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/value_range.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

using BitsTag = hn::RebindToUnsigned<FloatTag>;
[[maybe_unused]] constexpr BitsTag kBits;

// Of a float: all but its sign, and the exponent of infinity and NaN.
constexpr std::uint32_t kMagnitude = 0x7FFFFFFF;
constexpr std::uint32_t kInfinityBits = 0x7F800000;

// A pointer to floats that is not aligned must not be read as one.
Float LoadBytes(const std::byte* bytes) {
#if HWY_TARGET == HWY_SCALAR
  float value = 0.0F;
  std::memcpy(&value, bytes, sizeof(value));
  return Set(value);
#else
  return hn::BitCast(kFloat,
                     hn::LoadU(hn::Repartition<std::uint8_t, FloatTag>(),
                               reinterpret_cast<const std::uint8_t*>(bytes)));
#endif
}

// What follows the last whole vector, filled up with `filling`.
Float LoadTail(const std::byte* bytes, std::size_t count, float filling) {
  HWY_ALIGN float tail[kLanes];
  for (float& value : tail) {
    value = filling;
  }
  std::memcpy(tail, bytes, count * sizeof(float));
  return hn::Load(kFloat, tail);
}

auto Magnitude(Float values) {
  return hn::And(hn::BitCast(kBits, values), hn::Set(kBits, kMagnitude));
}

// Bits of floats without their sign have the order of the floats.
hn::Vec<BitsTag> LargestOf(std::size_t n, const std::byte* values) {
  // Four chains: one would wait for its own maximum.
  auto largest0 = hn::Zero(kBits);
  auto largest1 = largest0;
  auto largest2 = largest0;
  auto largest3 = largest0;
  const std::byte* at = values;
  constexpr std::size_t kBytes = kLanes * sizeof(float);
  for (; n >= 4 * kLanes; n -= 4 * kLanes, at += 4 * kBytes) {
    largest0 = hn::Max(largest0, Magnitude(LoadBytes(at)));
    largest1 = hn::Max(largest1, Magnitude(LoadBytes(at + kBytes)));
    largest2 = hn::Max(largest2, Magnitude(LoadBytes(at + 2 * kBytes)));
    largest3 = hn::Max(largest3, Magnitude(LoadBytes(at + 3 * kBytes)));
  }
  for (; n >= kLanes; n -= kLanes, at += kBytes) {
    largest0 = hn::Max(largest0, Magnitude(LoadBytes(at)));
  }
  if (n > 0) {
    largest1 = hn::Max(largest1, Magnitude(LoadTail(at, n, 0.0F)));
  }
  return hn::Max(hn::Max(largest0, largest1), hn::Max(largest2, largest3));
}

}  // namespace

bool AllFiniteOfTarget(std::size_t n, const std::byte* values) {
  return hn::AllTrue(
      kBits, hn::Lt(LargestOf(n, values), hn::Set(kBits, kInfinityBits)));
}

float LargestSizeOfTarget(std::size_t n, const std::byte* values) {
  const std::uint32_t bits =
      hn::GetLane(hn::MaxOfLanes(kBits, LargestOf(n, values)));
  float largest = 0.0F;
  std::memcpy(&largest, &bits, sizeof(largest));
  return largest;
}

bool AllWithinOfTarget(std::size_t n, const std::byte* values, const float* low,
                       const float* high) {
  auto within = hn::Eq(hn::Zero(kFloat), hn::Zero(kFloat));  // All of them.
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Float value = LoadBytes(values + i * sizeof(float));
    within = hn::And(within, hn::Ge(value, hn::LoadU(kFloat, low + i)));
    within = hn::And(within, hn::Le(value, hn::LoadU(kFloat, high + i)));
  }
  bool rest = true;
  for (; i < n; ++i) {
    float value = 0.0F;
    std::memcpy(&value, values + i * sizeof(float), sizeof(value));
    rest = rest && value >= low[i] && value <= high[i];
  }
  return rest && hn::AllTrue(kFloat, within);
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(AllFiniteOfTarget);
HWY_EXPORT(AllWithinOfTarget);
HWY_EXPORT(LargestSizeOfTarget);

bool AllFinite(std::size_t n, const std::byte* values) {
  return HWY_DYNAMIC_DISPATCH(AllFiniteOfTarget)(n, values);
}

bool AllWithin(std::size_t n, const std::byte* values, const float* low,
               const float* high) {
  return HWY_DYNAMIC_DISPATCH(AllWithinOfTarget)(n, values, low, high);
}

float LargestSize(std::size_t n, const float* values) {
  return HWY_DYNAMIC_DISPATCH(LargestSizeOfTarget)(
      n, reinterpret_cast<const std::byte*>(values));
}

}  // namespace relu::kernels
#endif  // HWY_ONCE
