// Exp, log, erf and what is made of them, on a vector of floats: our own
// polynomials. Each is a fixed sequence of IEEE operations on one lane, so that
// the bits depend neither on the target nor on where an element lies. Compiled
// once for each instruction set, as vector-inl.h is.

// Seen once per target, however often it is included.
#if defined(CORE_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifndef CORE_KERNELS_MATH_INL_H_
#define CORE_KERNELS_MATH_INL_H_
#else
#undef CORE_KERNELS_MATH_INL_H_
#endif

#include <cstddef>
#include <limits>

#include "hwy/highway.h"

#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {

inline constexpr hn::RebindToSigned<FloatTag> kInt;
using Int = hn::Vec<hn::RebindToSigned<FloatTag>>;

// output[i] = function(input[i]), for a function of a vector.
template <typename Function>
HWY_INLINE void ForEach(std::size_t size, const float* input, float* output,
                        const Function& function) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    hn::StoreU(function(hn::LoadU(kFloat, input + i)), kFloat, output + i);
  }
  if (i < size) {
    StoreFirst(function(LoadFirst(input + i, size - i)), size - i, output + i);
  }
}

// As everywhere, a comparison with NaN is false: NaN passes.
HWY_INLINE Float AtMost(Float x, Float limit) {
  return hn::IfThenElse(hn::Lt(limit, x), limit, x);
}

HWY_INLINE Float AtLeast(Float x, Float limit) {
  return hn::IfThenElse(hn::Lt(x, limit), limit, x);
}

// Rounding with nothing but additions: Highway's own functions differ between
// targets at zeros and just below one half.

// To the nearest whole number, ties to even. From 2^23 on all numbers are.
HWY_INLINE Float RoundOf(Float x) {
  const Float whole = Set(0x1p23F);
  const Float size = hn::Abs(x);
  const Float rounded = hn::Sub(hn::Add(size, whole), whole);
  return hn::IfThenElse(hn::Lt(size, whole), hn::CopySign(rounded, x), x);
}

HWY_INLINE Float FloorOf(Float x) {
  const Float near = RoundOf(x);
  const Float below = hn::Sub(near, Set(1.0F));
  return hn::CopySign(hn::IfThenElse(hn::Lt(x, near), below, near), x);
}

HWY_INLINE Float CeilOf(Float x) {
  const Float near = RoundOf(x);
  const Float above = hn::Add(near, Set(1.0F));
  return hn::CopySign(hn::IfThenElse(hn::Lt(near, x), above, near), x);
}

// x = n * ln 2 + r with a whole n and |r| <= ln(2) / 2. `magic` is 1.5 * 2^23
// plus a small integer: adding it rounds to an integer, which is then in the
// low bits of `shifted`.
struct ReducedExponent {
  Float shifted;
  Float n;
  Float r;
};

HWY_INLINE ReducedExponent ReduceExponent(Float x, Float magic) {
  const Float shifted = FusedMultiplyAdd(x, Set(0x1.715476p0F), magic);
  const Float n = hn::Sub(shifted, magic);
  // ln 2 in two parts; the first step is exact.
  Float r = FusedMultiplyAdd(n, Set(-0x1.62e43p-1F), x);
  r = FusedMultiplyAdd(n, Set(0x1.05c61p-29F), r);
  return {shifted, n, r};
}

// q of exp(r) = 1 + r + r^2 * q(r), minimax on |r| <= ln(2) / 2 with an error
// of 2^-28 in exp(r).
HWY_INLINE Float ExpTail(Float r) {
  Float q = Set(0x1.6a2448p-10F);
  q = FusedMultiplyAdd(q, r, Set(0x1.1239d6p-7F));
  q = FusedMultiplyAdd(q, r, Set(0x1.5558f2p-5F));
  q = FusedMultiplyAdd(q, r, Set(0x1.555492p-3F));
  return FusedMultiplyAdd(q, r, Set(0x1.fffffcp-2F));
}

HWY_INLINE Float ExpOfReduced(Float r) {
  const Float p = FusedMultiplyAdd(ExpTail(r), r, Set(1.0F));
  return FusedMultiplyAdd(p, r, Set(1.0F));
}

// exp(x) for x <= 0 and NaN, with a relative error of 1.3 * 2^-24, or one
// unit of the last place where the result is denormal.
HWY_INLINE Float ExpOfNegative(Float x) {
  const hn::RebindToUnsigned<FloatTag> bits;
  // Below, exp(x) rounds to 0. 127 + 64 makes the low bits the exponent field
  // of 2^(n + 64), which is never denormal.
  const ReducedExponent e =
      ReduceExponent(AtLeast(x, Set(-110.0F)), Set(12582912.0F + 191.0F));
  const Float power =
      hn::BitCast(kFloat, hn::ShiftLeft<23>(hn::BitCast(bits, e.shifted)));
  // Only the last product can be denormal: it rounds once.
  return hn::Mul(hn::Mul(ExpOfReduced(e.r), power), Set(0x1p-64F));
}

// 2^n, -127 < n < 128.
HWY_INLINE Float PowerOfTwo(Int n) {
  const Int field = hn::Add(n, hn::Set(kInt, 127));
  return hn::BitCast(kFloat, hn::ShiftLeft<23>(field));
}

HWY_INLINE Int WholeExponent(const ReducedExponent& e, Float magic) {
  return hn::Sub(hn::BitCast(kInt, e.shifted), hn::BitCast(kInt, magic));
}

// exp(x), as exact as ExpOfNegative().
HWY_INLINE Float ExpOf(Float x) {
  const Float magic = Set(12582912.0F);
  // Beyond, exp(x) is infinite, or rounds to 0.
  x = AtMost(AtLeast(x, Set(-110.0F)), Set(100.0F));
  const ReducedExponent e = ReduceExponent(x, magic);
  // 2^n in two factors: n goes beyond what one has room for.
  const Int n = WholeExponent(e, magic);
  const Int half = hn::ShiftRight<1>(n);
  return hn::Mul(hn::Mul(ExpOfReduced(e.r), PowerOfTwo(half)),
                 PowerOfTwo(hn::Sub(n, half)));
}

// exp(x) - 1 for x < 0 and NaN, without cancellation.
HWY_INLINE Float ExpMinusOneOfNegative(Float x) {
  const Float magic = Set(12582912.0F);
  // Below, it rounds to -1.
  const ReducedExponent e = ReduceExponent(AtLeast(x, Set(-30.0F)), magic);
  const Float power = PowerOfTwo(WholeExponent(e, magic));
  const Float inner = FusedMultiplyAdd(hn::Mul(e.r, e.r), ExpTail(e.r), e.r);
  return FusedMultiplyAdd(power, inner, hn::Sub(power, Set(1.0F)));
}

// log(1 + f) - f for sqrt(1/2) - 1 <= f <= sqrt(2) - 1: f^2 * (f * p(f) - 1/2),
// p minimax with an error of 2^-27 in log(1 + f).
HWY_INLINE Float LogTail(Float f) {
  Float p = Set(-0x1.38b584p-4F);
  p = FusedMultiplyAdd(p, f, Set(0x1.055b6cp-3F));
  p = FusedMultiplyAdd(p, f, Set(-0x1.0d8542p-3F));
  p = FusedMultiplyAdd(p, f, Set(0x1.22da1cp-3F));
  p = FusedMultiplyAdd(p, f, Set(-0x1.547244p-3F));
  p = FusedMultiplyAdd(p, f, Set(0x1.99a008p-3F));
  p = FusedMultiplyAdd(p, f, Set(-0x1.000226p-2F));
  p = FusedMultiplyAdd(p, f, Set(0x1.555554p-2F));
  return hn::Mul(hn::Mul(f, f), FusedMultiplyAdd(f, p, Set(-0.5F)));
}

// n * ln 2 + f + tail.
HWY_INLINE Float SumOfLog(Float n, Float f, Float tail) {
  const Float low = FusedMultiplyAdd(n, Set(-0x1.05c61p-29F), tail);
  return FusedMultiplyAdd(n, Set(0x1.62e43p-1F), hn::Add(f, low));
}

// log(x): NaN below 0, -infinity at 0 and -0.
HWY_INLINE Float LogOf(Float x) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Float zero = Set(0.0F);
  const auto is_denormal = hn::Lt(x, Set(0x1p-126F));
  const Float normal = hn::IfThenElse(is_denormal, hn::Mul(x, Set(0x1p25F)), x);
  // x = 2^n * (1 + f): what lies above sqrt(1/2) in the bits is the exponent.
  const Int bits = hn::BitCast(kInt, normal);
  const Int exponent =
      hn::ShiftRight<23>(hn::Sub(bits, hn::Set(kInt, 0x3f3504f3)));
  const Float f =
      hn::Sub(hn::BitCast(kFloat, hn::Sub(bits, hn::ShiftLeft<23>(exponent))),
              Set(1.0F));
  const Float n = hn::Sub(hn::ConvertTo(kFloat, exponent),
                          hn::IfThenElse(is_denormal, Set(25.0F), zero));
  const Float log = SumOfLog(n, f, LogTail(f));
  const Float nan = Set(std::numeric_limits<float>::quiet_NaN());
  const Float below = hn::IfThenElse(hn::Lt(x, zero), nan, Set(-kInfinity));
  const Float positive =
      hn::IfThenElse(hn::Lt(x, Set(kInfinity)), log, hn::Abs(x));
  return hn::IfThenElse(hn::Le(x, zero), below, positive);
}

// log(1 + x) for 0 <= x <= 1 and NaN.
HWY_INLINE Float LogOfOnePlus(Float x) {
  const Float zero = Set(0.0F);
  const Float one = Set(1.0F);
  const auto is_far = hn::Lt(Set(0x1.a8279ap-2F), x);  // sqrt(2) - 1
  const Float half = hn::Mul(hn::Sub(x, one), Set(0.5F));
  const Float f = hn::IfThenElse(is_far, half, x);
  return SumOfLog(hn::IfThenElse(is_far, one, zero), f, LogTail(f));
}

// 1 / (1 + exp(-x)), and for x < 0 the same as exp(x) / (1 + exp(x)), which
// neither overflows nor loses digits.
HWY_INLINE Float SigmoidOf(Float x) {
  const Float one = Set(1.0F);
  const Float exp = ExpOfNegative(hn::Neg(hn::Abs(x)));
  const Float numerator = hn::IfThenElse(hn::Lt(x, Set(0.0F)), exp, one);
  return hn::Div(numerator, hn::Add(one, exp));
}

HWY_INLINE Float TanhOf(Float x) {
  const Float one = Set(1.0F);
  const Float size = hn::Abs(x);
  // Far from 0: (1 - exp(-2|x|)) / (1 + exp(-2|x|)).
  const Float exp = ExpOfNegative(hn::Mul(size, Set(-2.0F)));
  const Float far = hn::Div(hn::Sub(one, exp), hn::Add(one, exp));
  // Near 0 that would cancel: x + x^3 * p(x^2), p minimax on |x| <= 0.625 with
  // an error of 2^-27.
  const Float square = hn::Mul(size, size);
  Float p = Set(-0x1.76ac1ap-8F);
  p = FusedMultiplyAdd(p, square, Set(0x1.5256d8p-6F));
  p = FusedMultiplyAdd(p, square, Set(-0x1.b84448p-5F));
  p = FusedMultiplyAdd(p, square, Set(0x1.110768p-3F));
  p = FusedMultiplyAdd(p, square, Set(-0x1.555534p-2F));
  const Float near = FusedMultiplyAdd(hn::Mul(square, p), size, size);
  return hn::CopySign(hn::IfThenElse(hn::Lt(size, Set(0.625F)), near, far), x);
}

// exp(z^2 / 2) times the normal distribution's tail beyond z, for 0 <= z <=
// 14.5 and NaN: q(y) / (z + 3) with y = (z - 3) / (z + 3), q minimax with an
// error of 2^-24.6 once its coefficients are rounded.
HWY_INLINE Float ScaledNormalTail(Float z) {
  const Float inverse = hn::Div(Set(1.0F), hn::Add(z, Set(3.0F)));
  const Float y = FusedMultiplyAdd(Set(-6.0F), inverse, Set(1.0F));
  Float q = Set(0x1.c8cd38p-15F);
  q = FusedMultiplyAdd(q, y, Set(0x1.13424ep-13F));
  q = FusedMultiplyAdd(q, y, Set(-0x1.00a4d4p-12F));
  q = FusedMultiplyAdd(q, y, Set(-0x1.0eab82p-10F));
  q = FusedMultiplyAdd(q, y, Set(0x1.0ca418p-10F));
  q = FusedMultiplyAdd(q, y, Set(0x1.c8bd7ep-8F));
  q = FusedMultiplyAdd(q, y, Set(-0x1.56d5fcp-7F));
  q = FusedMultiplyAdd(q, y, Set(-0x1.832d0cp-5F));
  q = FusedMultiplyAdd(q, y, Set(0x1.d71384p-3F));
  q = FusedMultiplyAdd(q, y, Set(-0x1.04c72ap-1F));
  q = FusedMultiplyAdd(q, y, Set(0x1.754a76p-1F));
  return hn::Mul(q, inverse);
}

// exp(-scale * x^2) without the error that rounding the square would make;
// `scale` is a power of two.
HWY_INLINE Float ExpOfMinusSquare(Float x, float scale) {
  const Float square = hn::Mul(x, x);
  const Float rest = FusedMultiplyAdd(x, x, hn::Neg(square));
  const Float exp = ExpOfNegative(hn::Mul(square, Set(-scale)));
  return FusedMultiplyAdd(exp, hn::Mul(rest, Set(-scale)), exp);
}

HWY_INLINE Float ErfOf(Float x) {
  // Beyond, erf(x) rounds to 1.
  const Float size = AtMost(hn::Abs(x), Set(10.0F));
  // Far from 0: 1 - erfc(x), and erfc is twice the tail beyond sqrt(2) * x.
  const Float tail =
      hn::Mul(ExpOfMinusSquare(size, /*scale=*/1.0F),
              ScaledNormalTail(hn::Mul(size, Set(0x1.6a09e6p0F))));
  const Float far = FusedMultiplyAdd(tail, Set(-2.0F), Set(1.0F));
  // Near 0: x + x * p(x^2), p minimax on |x| <= 0.75 with an error of 2^-29.
  const Float square = hn::Mul(size, size);
  Float p = Set(-0x1.613e5p-11F);
  p = FusedMultiplyAdd(p, square, Set(0x1.4f188ap-8F));
  p = FusedMultiplyAdd(p, square, Set(-0x1.b7a75cp-6F));
  p = FusedMultiplyAdd(p, square, Set(0x1.ce2acep-4F));
  p = FusedMultiplyAdd(p, square, Set(-0x1.81273ap-2F));
  p = FusedMultiplyAdd(p, square, Set(0x1.06eba8p-3F));
  const Float near = FusedMultiplyAdd(size, p, size);
  return hn::CopySign(hn::IfThenElse(hn::Lt(size, Set(0.75F)), near, far), x);
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CORE_KERNELS_MATH_INL_H_
