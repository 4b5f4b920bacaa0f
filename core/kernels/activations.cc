// Relu(), Sigmoid(), Tanh() and Softmax() for every instruction set.

#include <cstddef>
#include <limits>

#include "core/kernels/kernels.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/activations.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/math-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
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
