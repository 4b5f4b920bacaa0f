// Apply() of two values and Affine(), for every instruction set.

#include <cstddef>

#include "core/kernels/elementwise.h"
#include "core/kernels/power.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/binary.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

template <typename Of>
HWY_INLINE void ForEachPair(std::size_t size, const float* x, const float* y,
                            float* output, const Of& of) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    hn::StoreU(of(hn::LoadU(kFloat, x + i), hn::LoadU(kFloat, y + i)), kFloat,
               output + i);
  }
  if (i < size) {
    StoreFirst(of(LoadFirst(x + i, size - i), LoadFirst(y + i, size - i)),
               size - i, output + i);
  }
}

struct Add {
  HWY_INLINE Float operator()(Float x, Float y) const { return hn::Add(x, y); }
};
struct Div {
  HWY_INLINE Float operator()(Float x, Float y) const { return hn::Div(x, y); }
};
struct Mul {
  HWY_INLINE Float operator()(Float x, Float y) const { return hn::Mul(x, y); }
};
struct Sub {
  HWY_INLINE Float operator()(Float x, Float y) const { return hn::Sub(x, y); }
};

// Not hn::Max() and hn::Min(): a NaN must pass, on every target.
struct Max {
  HWY_INLINE Float operator()(Float x, Float y) const {
    const Float greater = hn::IfThenElse(hn::Lt(x, y), y, x);
    return hn::IfThenElse(hn::Eq(y, y), greater, y);
  }
};
struct Min {
  HWY_INLINE Float operator()(Float x, Float y) const {
    const Float less = hn::IfThenElse(hn::Lt(y, x), y, x);
    return hn::IfThenElse(hn::Eq(y, y), less, y);
  }
};

struct PRelu {
  HWY_INLINE Float operator()(Float x, Float y) const {
    return hn::IfThenElse(hn::Lt(x, Set(0.0F)), hn::Mul(x, y), x);
  }
};

}  // namespace

void ApplyToPairsOfTarget(BinaryFunction function, std::size_t size,
                          const float* x, const float* y, float* output) {
  const auto each = [&](const auto& of)
                        HWY_ATTR { ForEachPair(size, x, y, output, of); };
  switch (function) {
    case BinaryFunction::kAdd:
      return each(Add{});
    case BinaryFunction::kDiv:
      return each(Div{});
    case BinaryFunction::kMax:
      return each(Max{});
    case BinaryFunction::kMin:
      return each(Min{});
    case BinaryFunction::kMul:
      return each(Mul{});
    case BinaryFunction::kPRelu:
      return each(PRelu{});
    case BinaryFunction::kSub:
      return each(Sub{});
    case BinaryFunction::kPow:
      break;
  }
  for (std::size_t i = 0; i < size; ++i) {
    output[i] = Power(x[i], y[i]);
  }
}

void AffineOfTarget(std::size_t size, const float* x, const float* scale,
                    const float* shift, float* output) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    hn::StoreU(
        FusedMultiplyAdd(hn::LoadU(kFloat, x + i), hn::LoadU(kFloat, scale + i),
                         hn::LoadU(kFloat, shift + i)),
        kFloat, output + i);
  }
  if (i < size) {
    const std::size_t rest = size - i;
    StoreFirst(
        FusedMultiplyAdd(LoadFirst(x + i, rest), LoadFirst(scale + i, rest),
                         LoadFirst(shift + i, rest)),
        rest, output + i);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(AffineOfTarget);
HWY_EXPORT(ApplyToPairsOfTarget);

void Affine(std::size_t size, const float* x, const float* scale,
            const float* shift, float* output) {
  HWY_DYNAMIC_DISPATCH(AffineOfTarget)(size, x, scale, shift, output);
}

void Apply(BinaryFunction function, std::size_t size, const float* x,
           const float* y, float* output) {
  HWY_DYNAMIC_DISPATCH(ApplyToPairsOfTarget)(function, size, x, y, output);
}

}  // namespace relu::kernels
#endif  // HWY_ONCE
