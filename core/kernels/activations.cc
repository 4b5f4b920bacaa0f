// Relu(), Sigmoid(), Tanh() and Softmax() for every instruction set. Each is a
// fixed sequence of IEEE operations on one lane, so that the bits depend
// neither on the target nor on where an element lies.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "core/kernels/kernels.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/activations.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

// output[i] = function(input[i]), for a function of a vector.
template <typename Function>
HWY_INLINE void ForEach(std::size_t size, const float* input, float* output,
                        const Function& function) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    hn::StoreU(function(hn::LoadU(kFloat, input + i)), kFloat, output + i);
  }
  if (i < size) {
    alignas(64) float last[kLanes] = {};
    std::memcpy(last, input + i, (size - i) * sizeof(float));
    hn::Store(function(hn::Load(kFloat, last)), kFloat, last);
    std::memcpy(output + i, last, (size - i) * sizeof(float));
  }
}

// exp(x) for x <= 0 and NaN, with a relative error of 1.3 * 2^-24, or one
// unit of the last place where the result is denormal. With x = n * ln 2 + r it
// is 2^n * exp(r).
HWY_INLINE Float ExpOfNegative(Float x) {
  const hn::RebindToUnsigned<FloatTag> bits;
  // Below, exp(x) rounds to 0. As everywhere, a comparison with NaN is false.
  const Float lowest = Set(-110.0F);
  x = hn::IfThenElse(hn::Lt(x, lowest), lowest, x);
  // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits. The
  // 127 + 64 more make it the exponent field of 2^(n + 64), which is never
  // denormal.
  const Float magic = Set(12582912.0F + 191.0F);
  const Float shifted = FusedMultiplyAdd(x, Set(0x1.715476p0F), magic);
  const Float n = hn::Sub(shifted, magic);
  const Float power =
      hn::BitCast(kFloat, hn::ShiftLeft<23>(hn::BitCast(bits, shifted)));
  // ln 2 in two parts; the first step is exact.
  Float r = FusedMultiplyAdd(n, Set(-0x1.62e43p-1F), x);
  r = FusedMultiplyAdd(n, Set(0x1.05c61p-29F), r);
  // 1 + r + r^2 * q(r), q minimax on |r| <= ln(2) / 2 with an error of 2^-28.
  Float p = Set(0x1.6a2448p-10F);
  p = FusedMultiplyAdd(p, r, Set(0x1.1239d6p-7F));
  p = FusedMultiplyAdd(p, r, Set(0x1.5558f2p-5F));
  p = FusedMultiplyAdd(p, r, Set(0x1.555492p-3F));
  p = FusedMultiplyAdd(p, r, Set(0x1.fffffcp-2F));
  p = FusedMultiplyAdd(p, r, Set(1.0F));
  p = FusedMultiplyAdd(p, r, Set(1.0F));
  // Only the last product can be denormal: it rounds once.
  return hn::Mul(hn::Mul(p, power), Set(0x1p-64F));
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

}  // namespace

void ReluOfTarget(std::size_t size, const float* input, float* output) {
  ForEach(size, input, output, [](Float x) HWY_ATTR {
    const Float zero = Set(0.0F);
    const Float sum = hn::Add(x, zero);  // -0 becomes +0.
    return hn::IfThenElse(hn::Lt(sum, zero), zero, sum);
  });
}

void SigmoidOfTarget(std::size_t size, const float* input, float* output) {
  ForEach(size, input, output, [](Float x) HWY_ATTR { return SigmoidOf(x); });
}

void TanhOfTarget(std::size_t size, const float* input, float* output) {
  ForEach(size, input, output, [](Float x) HWY_ATTR { return TanhOf(x); });
}

void SoftmaxOfTarget(std::size_t size, const float* input, float* output) {
  // Passes over NaN, which makes the sum NaN below.
  float max = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < size; ++i) {
    max = input[i] > max ? input[i] : max;
  }
  ForEach(size, input, output, [max](Float x) HWY_ATTR {
    return ExpOfNegative(hn::Sub(x, Set(max)));
  });
  // Double, so that the error does not grow with `size`.
  double sum = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    sum += static_cast<double>(output[i]);
  }
  ForEach(size, output, output, [sum](Float x) HWY_ATTR {
    return hn::Div(x, Set(static_cast<float>(sum)));
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(ReluOfTarget);
HWY_EXPORT(SigmoidOfTarget);
HWY_EXPORT(TanhOfTarget);
HWY_EXPORT(SoftmaxOfTarget);

void Relu(std::size_t size, const float* input, float* output) {
  HWY_DYNAMIC_DISPATCH(ReluOfTarget)(size, input, output);
}

void Sigmoid(std::size_t size, const float* input, float* output) {
  HWY_DYNAMIC_DISPATCH(SigmoidOfTarget)(size, input, output);
}

void Tanh(std::size_t size, const float* input, float* output) {
  HWY_DYNAMIC_DISPATCH(TanhOfTarget)(size, input, output);
}

void Softmax(std::size_t size, const float* input, float* output) {
  HWY_DYNAMIC_DISPATCH(SoftmaxOfTarget)(size, input, output);
}

}  // namespace relu::kernels
#endif  // HWY_ONCE
