#include "tests/benchmark/roofline.h"

#include <cstddef>
#include <span>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/benchmark/roofline.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {

// Some sum, so that the compiler cannot drop what made its parts.
template <std::size_t kCount>
HWY_INLINE float SumOf(const Float (&parts)[kCount]) {
  Float sum = parts[0];
#pragma GCC unroll 16
  for (std::size_t i = 1; i < kCount; ++i) {
    sum = hn::Add(sum, parts[i]);
  }
  return hn::GetLane(sum);
}

float MultiplyAddOfTarget(std::size_t steps, double& operations) {
  constexpr std::size_t kChains = 12;
  Float sums[kChains];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kChains; ++i) {
    sums[i] = Set(static_cast<float>(i));
  }
  const Float factor = Set(0.5F);
  for (std::size_t step = 0; step < steps; ++step) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kChains; ++i) {
      sums[i] = FusedMultiplyAdd(sums[i], factor, factor);
    }
  }
  operations = 2.0 * static_cast<double>(steps * kChains * kLanes);
  return SumOf(sums);
}

float ReadAllOfTarget(const float* values, std::size_t size) {
  constexpr std::size_t kStreams = 4;
  constexpr std::size_t kVectors = 2;  // Of each stream in one step.
  const std::size_t stream_size = size / kStreams;
  Float sums[kStreams * kVectors];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kStreams * kVectors; ++i) {
    sums[i] = Set(0.0F);
  }
  for (std::size_t at = 0; at < stream_size; at += kVectors * kLanes) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kStreams * kVectors; ++i) {
      const float* const from =
          values + (i / kVectors) * stream_size + at + (i % kVectors) * kLanes;
      sums[i] = hn::Add(sums[i], hn::Load(kFloat, from));
    }
  }
  return SumOf(sums);
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(MultiplyAddOfTarget);
HWY_EXPORT(ReadAllOfTarget);

namespace {

float SumOfMultiplyAdd(std::size_t steps, double& operations) {
  return HWY_DYNAMIC_DISPATCH(MultiplyAddOfTarget)(steps, operations);
}

float SumOfAll(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(ReadAllOfTarget)(values.data(), values.size());
}

}  // namespace
}  // namespace relu::kernels

namespace relu::benchmarks {

double MultiplyAdd(std::size_t steps) {
  double operations = 0.0;
  [[maybe_unused]] volatile float sum =
      kernels::SumOfMultiplyAdd(steps, operations);
  return operations;
}

void ReadAll(std::span<const float> values) {
  [[maybe_unused]] volatile float sum = kernels::SumOfAll(values);
}

}  // namespace relu::benchmarks
#endif  // HWY_ONCE
