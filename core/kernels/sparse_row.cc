// CountNonZeros() and ListNonZeros() for every instruction set.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/kernels/kernels.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/sparse_row.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/vector-inl.h"

#ifndef CORE_KERNELS_SPARSE_ROW_CC_ONCE_
#define CORE_KERNELS_SPARSE_ROW_CC_ONCE_
namespace relu::kernels {
namespace {

// For each byte the positions of the bits that are set in it, ascending, in 4
// bits each from the lowest on.
struct SetBits {
  std::array<std::uint32_t, 256> positions{};

  constexpr SetBits() {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      std::uint32_t shift = 0;
      for (std::uint32_t bit = 0; bit < 8; ++bit) {
        if ((byte >> bit & 1U) != 0) {
          positions[byte] |= bit << shift;
          shift += 4;
        }
      }
    }
  }
};

[[maybe_unused]] constexpr SetBits kSetBits;

}  // namespace
}  // namespace relu::kernels
#endif  // CORE_KERNELS_SPARSE_ROW_CC_ONCE_

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

using IndexTag = hn::RebindToUnsigned<FloatTag>;
// Some targets list one input after the other.
[[maybe_unused]] constexpr IndexTag kIndex;
constexpr hn::RebindToSigned<FloatTag> kCount;

// What ListNonZeros() writes beyond the entries: whole vectors.
static_assert(kLanes <= kSparseRowPadding);

// Not Ne(), which says of a NaN that it is not unequal, on some targets.
[[maybe_unused]] auto NonZeros(Float input) {
  return hn::Not(hn::Eq(input, hn::Zero(kFloat)));
}

// The lanes that are not zero, ascending: where they are and what they hold.
// What follows them is of no use.
struct Listed {
  hn::Vec<IndexTag> lanes;
  Float values;
  std::size_t count = 0;
};

#if HWY_TARGET <= HWY_AVX3
Listed ListLanes(Float vector) {
  const auto mask = NonZeros(vector);
  // Not CompressStore(): to memory, Zen 4 takes 100 cycles to compress.
  return {
      .lanes = hn::Compress(hn::Iota(kIndex, 0), hn::RebindMask(kIndex, mask)),
      .values = hn::Compress(vector, mask),
      .count = hn::CountTrue(kFloat, mask)};
}
#elif HWY_TARGET == HWY_AVX2
// Not Compress() of Highway 1.0.3, whose table GCC 12 copies to the stack each
// time: 41 ns for a vector, this takes 2.
Listed ListLanes(Float vector) {
  std::uint8_t bits = 0;
  hn::StoreMaskBits(kFloat, NonZeros(vector), &bits);
  const auto shifts = hn::Mul(hn::Iota(kIndex, 0), hn::Set(kIndex, 4));
  const auto lanes =
      hn::And(hn::Shr(hn::Set(kIndex, kSetBits.positions[bits]), shifts),
              hn::Set(kIndex, 7));
  return {
      .lanes = lanes,
      .values = hn::TableLookupLanes(vector, hn::IndicesFromVec(kFloat, lanes)),
      .count = static_cast<std::size_t>(std::popcount(bits))};
}
#endif

}  // namespace

std::size_t CountNonZerosOfTarget(std::size_t k, const float* input) {
  // -1 in each lane that is zero: all its bits are set. A sum of such, four
  // vectors at a time, takes half as long as a count of each mask (Zen 3): a
  // batch is counted before its zeros are skipped, and maybe in vain.
  const auto zeros_at = [input](std::size_t i) HWY_ATTR {
    const auto is_zero = hn::Eq(hn::LoadU(kFloat, input + i), hn::Zero(kFloat));
    return hn::BitCast(kCount, hn::VecFromMask(kFloat, is_zero));
  };
  auto zeros = hn::Zero(kCount);
  std::size_t i = 0;
  for (; i + 4 * kLanes <= k; i += 4 * kLanes) {
    const auto two = hn::Add(zeros_at(i), zeros_at(i + kLanes));
    const auto next =
        hn::Add(zeros_at(i + 2 * kLanes), zeros_at(i + 3 * kLanes));
    zeros = hn::Add(zeros, hn::Add(two, next));
  }
  for (; i + kLanes <= k; i += kLanes) {
    zeros = hn::Add(zeros, zeros_at(i));
  }
  auto count =
      i + static_cast<std::size_t>(hn::GetLane(hn::SumOfLanes(kCount, zeros)));
  for (; i < k; ++i) {
    count += input[i] != 0.0F ? 1 : 0;
  }
  return count;
}

SparseRow ListNonZerosOfTarget(std::size_t k, const float* input,
                               std::uint32_t* indices, float* values) {
  std::size_t count = 0;
  std::size_t i = 0;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET <= HWY_AVX3
  for (; i + kLanes <= k; i += kLanes) {
    const Float vector = hn::LoadU(kFloat, input + i);
    const Listed listed = ListLanes(vector);
    hn::StoreU(
        hn::Add(listed.lanes, hn::Set(kIndex, static_cast<std::uint32_t>(i))),
        kIndex, indices + count);
    hn::StoreU(listed.values, kFloat, values + count);
    count += listed.count;
  }
#endif
  for (; i < k; ++i) {
    indices[count] = static_cast<std::uint32_t>(i);
    values[count] = input[i];
    count += input[i] != 0.0F ? 1 : 0;
  }
  return {.count = count, .indices = indices, .values = values};
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(CountNonZerosOfTarget);
HWY_EXPORT(ListNonZerosOfTarget);

std::size_t CountNonZeros(std::size_t k, const float* input) {
  return HWY_DYNAMIC_DISPATCH(CountNonZerosOfTarget)(k, input);
}

SparseRow ListNonZeros(std::size_t k, const float* input,
                       std::uint32_t* indices, float* values) {
  return HWY_DYNAMIC_DISPATCH(ListNonZerosOfTarget)(k, input, indices, values);
}

}  // namespace relu::kernels
#endif  // HWY_ONCE
