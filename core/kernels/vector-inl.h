// The vector of floats that every kernel computes with, and its fused
// multiply-add. Compiled once for each instruction set: include it after
// hwy/highway.h in a file that hwy/foreach_target.h compiles.

// Highway's include guard: once for each target.
#if defined(CORE_KERNELS_VECTOR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CORE_KERNELS_VECTOR_INL_H_
#undef CORE_KERNELS_VECTOR_INL_H_
#else
#define CORE_KERNELS_VECTOR_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "hwy/highway.h"

#include "core/kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// At most one row of a panel: 16 lanes with AVX-512, 8 with AVX2, 4 with NEON
// and 1 in portable code.
using FloatTag = hn::CappedTag<float, kPanelColumns>;
using Float = hn::Vec<FloatTag>;
inline constexpr FloatTag kFloat;
inline constexpr std::size_t kLanes = hn::MaxLanes(kFloat);

HWY_INLINE Float Set(float value) { return hn::Set(kFloat, value); }

// The first `count` floats, or all if there are fewer lanes; the others are 0.
// Reads nothing beyond. With AVX not over an array, where it would wait for the
// parts that were copied there.
HWY_INLINE Float LoadFirst(const float* values, std::size_t count) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return hn::MaskedLoad(hn::FirstN(kFloat, count), kFloat, values);
#else
  if (count >= kLanes) {
    return hn::LoadU(kFloat, values);
  }
  alignas(64) float first[kLanes] = {};
  std::copy_n(values, count, first);
  return hn::Load(kFloat, first);
#endif
}

#if HWY_TARGET != HWY_AVX3 && HWY_TARGET != HWY_SCALAR
// Stores the first `count` lanes, fewer than all, and nothing beyond: a half at
// a time.
template <class Tag>
HWY_INLINE void StoreLanes(Tag tag, hn::Vec<Tag> vector, std::size_t count,
                           float* values) {
  if constexpr (hn::MaxLanes(tag) > 1) {
    const hn::Half<Tag> half;
    constexpr std::size_t kLower = hn::MaxLanes(half);
    if (count < kLower) {
      StoreLanes(half, hn::LowerHalf(half, vector), count, values);
    } else {
      hn::StoreU(hn::LowerHalf(half, vector), half, values);
      StoreLanes(half, hn::UpperHalf(half, vector), count - kLower,
                 values + kLower);
    }
  }
}
#endif

// Stores the first `count` <= kLanes lanes, and nothing beyond. Not by the
// masks of AVX2: a Zen 4 takes 3.3 ns for one, and 0.6 for two plain stores.
HWY_INLINE void StoreFirst(Float vector, std::size_t count, float* values) {
#if HWY_TARGET == HWY_AVX3
  hn::BlendedStore(vector, hn::FirstN(kFloat, count), kFloat, values);
#else
  if (count == kLanes) {
    hn::StoreU(vector, kFloat, values);
    return;
  }
#if HWY_TARGET != HWY_SCALAR
  StoreLanes(kFloat, vector, count, values);
#endif
#endif
}

// a * b + c, rounded once: the only way to multiply and add in a kernel.
HWY_INLINE Float FusedMultiplyAdd(Float a, Float b, Float c) {
#if HWY_NATIVE_FMA
  return hn::MulAdd(a, b, c);
#elif HWY_TARGET == HWY_SCALAR
  return Float(std::fma(a.raw, b.raw, c.raw));
#else
#error "No fused multiply-add: disable this target in core/kernels/targets.h."
#endif
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CORE_KERNELS_VECTOR_INL_H_
