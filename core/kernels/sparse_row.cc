// CountNonZeros() and ListNonZeros() for every instruction set.

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

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

using IndexTag = hn::RebindToUnsigned<FloatTag>;
constexpr IndexTag kIndex;

// What ListNonZeros() writes beyond the entries: whole vectors.
static_assert(kLanes <= kSparseRowPadding);

// Not Ne(), which says of a NaN that it is not unequal, on some targets.
auto NonZeros(Float input) { return hn::Not(hn::Eq(input, hn::Zero(kFloat))); }

}  // namespace

std::size_t CountNonZerosOfTarget(std::size_t k, const float* input) {
  std::size_t count = 0;
  std::size_t i = 0;
  for (; i + kLanes <= k; i += kLanes) {
    count += hn::CountTrue(kFloat, NonZeros(hn::LoadU(kFloat, input + i)));
  }
  for (; i < k; ++i) {
    count += input[i] != 0.0F ? 1 : 0;
  }
  return count;
}

SparseRow ListNonZerosOfTarget(std::size_t k, const float* input,
                               std::uint32_t* indices, float* values) {
  std::size_t count = 0;
  std::size_t i = 0;
  auto index = hn::Iota(kIndex, 0);
  const auto step = hn::Set(kIndex, static_cast<std::uint32_t>(kLanes));
  for (; i + kLanes <= k; i += kLanes) {
    const Float vector = hn::LoadU(kFloat, input + i);
    const auto mask = NonZeros(vector);
    // Not CompressStore(): to memory, Zen 4 takes 100 cycles to compress.
    hn::StoreU(hn::Compress(index, hn::RebindMask(kIndex, mask)), kIndex,
               indices + count);
    hn::StoreU(hn::Compress(vector, mask), kFloat, values + count);
    count += hn::CountTrue(kFloat, mask);
    index = hn::Add(index, step);
  }
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
