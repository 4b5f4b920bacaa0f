// Softmax(), LogSoftmax() and LayerNorm() for every instruction set. Most of it
// is plain loops over doubles, which the compiler turns into vectors of each
// target without a change of their bits.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/kernels/double_math.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/normalization.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/math-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

constexpr std::size_t kSums = 8;

// The sum of term(i) for all i < size, in the order that LayerNorm() states.
template <typename Term>
HWY_INLINE double Sum(std::size_t size, const Term& term) {
  double sums[kSums] = {};
  std::size_t i = 0;
  for (; i + kSums <= size; i += kSums) {
    for (std::size_t j = 0; j < kSums; ++j) {
      sums[j] += term(i + j);
    }
  }
  for (std::size_t j = 0; i + j < size; ++j) {
    sums[j] += term(i + j);
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
         ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// Passes over NaN, which makes the sums NaN.
HWY_INLINE float GreatestOf(std::size_t size, const float* input) {
  float max = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < size; ++i) {
    max = input[i] > max ? input[i] : max;
  }
  return max;
}

// Sums up exp(x - max) of `size` values in ascending order, in double, so that
// the error does not grow with `size`; calls use(i, vector) for the terms from
// value i on.
template <typename Use>
HWY_INLINE double SumOfExp(std::size_t size, const float* input, float max,
                           const Use& use) {
  double sum = 0.0;
  for (std::size_t i = 0; i < size; i += kLanes) {
    alignas(64) float terms[kLanes];
    const std::size_t count = std::min(size - i, kLanes);
    const Float x = LoadFirst(input + i, count);
    const Float exp = ExpOfNegative(hn::Sub(x, Set(max)));
    hn::Store(exp, kFloat, terms);
    for (std::size_t j = 0; j < count; ++j) {
      sum += static_cast<double>(terms[j]);
    }
    use(i, exp);
  }
  return sum;
}

}  // namespace

void LogSoftmaxOfTarget(std::size_t size, const float* input, float* output) {
  const float max = GreatestOf(size, input);
  const double sum =
      SumOfExp(size, input, max, [](std::size_t, Float) HWY_ATTR {});
  // LogOfDouble() takes normal numbers alone.
  const double log = std::isnan(sum) ? sum : LogOfDouble(sum);
  const auto top = static_cast<double>(max);
  for (std::size_t i = 0; i < size; ++i) {
    output[i] = static_cast<float>((static_cast<double>(input[i]) - top) - log);
  }
}

void SoftmaxOfTarget(std::size_t size, const float* input, float* output) {
  const float max = GreatestOf(size, input);
  Float last = Set(0.0F);
  const double sum =
      SumOfExp(size, input, max, [&](std::size_t i, Float exp) HWY_ATTR {
        if (i + kLanes < size) {
          hn::StoreU(exp, kFloat, output + i);
        } else {
          last = exp;
        }
      });
  const Float divisor = Set(static_cast<float>(sum));
  std::size_t i = 0;
  for (; i + kLanes < size; i += kLanes) {
    hn::StoreU(hn::Div(hn::LoadU(kFloat, output + i), divisor), kFloat,
               output + i);
  }
  StoreFirst(hn::Div(last, divisor), size - i, output + i);
}

void LayerNormOfTarget(const LayerNormalization& layer, std::size_t size,
                       const float* input, float* output) {
  const auto count = static_cast<double>(size);
  const double mean =
      Sum(size, [input](std::size_t i)
                    HWY_ATTR { return static_cast<double>(input[i]); }) /
      count;
  const double variance = Sum(size,
                              [input, mean](std::size_t i) HWY_ATTR {
                                const double distance =
                                    static_cast<double>(input[i]) - mean;
                                return distance * distance;
                              }) /
                          count;
  const double factor =
      1.0 / std::sqrt(variance + static_cast<double>(layer.epsilon));
  for (std::size_t i = 0; i < size; ++i) {
    const double normal = (static_cast<double>(input[i]) - mean) * factor;
    const double shift =
        layer.shift == nullptr ? 0.0 : static_cast<double>(layer.shift[i]);
    output[i] = static_cast<float>(
        normal * static_cast<double>(layer.scale[i]) + shift);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(LayerNormOfTarget);
HWY_EXPORT(LogSoftmaxOfTarget);
HWY_EXPORT(SoftmaxOfTarget);

void LayerNorm(const LayerNormalization& layer, std::size_t size,
               const float* input, float* output) {
  HWY_DYNAMIC_DISPATCH(LayerNormOfTarget)(layer, size, input, output);
}

void LogSoftmax(std::size_t size, const float* input, float* output) {
  HWY_DYNAMIC_DISPATCH(LogSoftmaxOfTarget)(size, input, output);
}

void Softmax(std::size_t size, const float* input, float* output) {
  HWY_DYNAMIC_DISPATCH(SoftmaxOfTarget)(size, input, output);
}

}  // namespace relu::kernels
#endif  // HWY_ONCE
