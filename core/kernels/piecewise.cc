// Kernels of piecewise linear networks for every instruction set: plain loops,
// which the compiler turns into vectors of each target without a change of
// their bits.

#include "core/kernels/piecewise.h"

#include <cmath>
#include <cstddef>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/piecewise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

// Sums side by side: two vectors of doubles with AVX2.
constexpr std::size_t kSums = 8;

template <typename Term>
HWY_INLINE double SumOf(std::size_t size, const Term& term) {
  double sums[kSums] = {};
  std::size_t i = 0;
  for (; i + kSums <= size; i += kSums) {
    for (std::size_t j = 0; j < kSums; ++j) {
      sums[j] += term(i + j);
    }
  }
  double sum = 0.0;
  for (; i < size; ++i) {
    sum += term(i);
  }
  for (const double part : sums) {
    sum += part;
  }
  return sum;
}

HWY_INLINE float At(const Line& line, float x) {
  return line.slope == 0.0F ? line.offset : line.slope * x + line.offset;
}

}  // namespace

void ApplyTwoLinesOfTarget(const TwoLines& function, std::size_t size,
                           const float* HWY_RESTRICT input,
                           float* HWY_RESTRICT output) {
  const TwoLines lines = function;
  for (std::size_t i = 0; i < size; ++i) {
    const float x = input[i];
    const float low = At(lines.low, x);
    const float high = At(lines.high, x);
    const float below = x <= lines.beyond ? low : x;  // NaN is neither.
    output[i] = x > lines.beyond ? high : below;
  }
}

void AddSlopesOfTarget(const TwoLines& function, std::size_t size,
                       const float* HWY_RESTRICT input,
                       const float* HWY_RESTRICT output_adjoint,
                       float* HWY_RESTRICT input_adjoint) {
  const TwoLines lines = function;
  for (std::size_t i = 0; i < size; ++i) {
    const float slope =
        input[i] > lines.beyond ? lines.high.slope : lines.low.slope;
    input_adjoint[i] += slope * output_adjoint[i];
  }
}

std::size_t CountNearOfTarget(float kink, float size_of_input, std::size_t size,
                              const float* values, const float* slopes,
                              const float* offsets) {
  unsigned count = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const float limit = size_of_input * slopes[i] + offsets[i];
    count += std::abs(values[i] - kink) < limit ? 1U : 0U;
  }
  return count;
}

double SumOfTarget(std::size_t size, const double* values) {
  return SumOf(size, [values](std::size_t i) HWY_ATTR { return values[i]; });
}

double SumOfProductsOfTarget(std::size_t size, const float* a, const float* b) {
  return SumOf(size, [a, b](std::size_t i) HWY_ATTR {
    return static_cast<double>(a[i]) * static_cast<double>(b[i]);
  });
}

void AddContributionsOfTarget(std::size_t size,
                              const float* HWY_RESTRICT slopes,
                              const float* HWY_RESTRICT values,
                              double* HWY_RESTRICT gradient,
                              double* HWY_RESTRICT contributions) {
  for (std::size_t i = 0; i < size; ++i) {
    const auto slope = static_cast<double>(slopes[i]);
    gradient[i] = slope;
    contributions[i] += slope * static_cast<double>(values[i]);
  }
}

bool RoundToFloatsOfTarget(std::size_t size, const double* HWY_RESTRICT numbers,
                           double* HWY_RESTRICT rounded) {
  for (std::size_t i = 0; i < size; ++i) {
    rounded[i] = static_cast<double>(static_cast<float>(numbers[i]));
  }
  // A sum of zeros, or NaN if one is not finite.
  return SumOf(size, [rounded](std::size_t i)
                         HWY_ATTR { return rounded[i] - rounded[i]; }) == 0.0;
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(AddContributionsOfTarget);
HWY_EXPORT(AddSlopesOfTarget);
HWY_EXPORT(ApplyTwoLinesOfTarget);
HWY_EXPORT(CountNearOfTarget);
HWY_EXPORT(RoundToFloatsOfTarget);
HWY_EXPORT(SumOfProductsOfTarget);
HWY_EXPORT(SumOfTarget);

void Apply(const TwoLines& function, std::size_t size, const float* input,
           float* output) {
  HWY_DYNAMIC_DISPATCH(ApplyTwoLinesOfTarget)(function, size, input, output);
}

void AddSlopes(const TwoLines& function, std::size_t size, const float* input,
               const float* output_adjoint, float* input_adjoint) {
  HWY_DYNAMIC_DISPATCH(AddSlopesOfTarget)
  (function, size, input, output_adjoint, input_adjoint);
}

std::size_t CountNear(float kink, float size_of_input, std::size_t size,
                      const float* values, const float* slopes,
                      const float* offsets) {
  return HWY_DYNAMIC_DISPATCH(CountNearOfTarget)(kink, size_of_input, size,
                                                 values, slopes, offsets);
}

double Sum(std::size_t size, const double* values) {
  return HWY_DYNAMIC_DISPATCH(SumOfTarget)(size, values);
}

double SumOfProducts(std::size_t size, const float* a, const float* b) {
  return HWY_DYNAMIC_DISPATCH(SumOfProductsOfTarget)(size, a, b);
}

void AddContributions(std::size_t size, const float* slopes,
                      const float* values, double* gradient,
                      double* contributions) {
  HWY_DYNAMIC_DISPATCH(AddContributionsOfTarget)
  (size, slopes, values, gradient, contributions);
}

bool RoundToFloats(std::size_t size, const double* numbers, double* rounded) {
  return HWY_DYNAMIC_DISPATCH(RoundToFloatsOfTarget)(size, numbers, rounded);
}

}  // namespace relu::kernels
#endif  // HWY_ONCE
