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
