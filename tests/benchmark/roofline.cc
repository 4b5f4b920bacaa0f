#include "tests/benchmark/roofline.h"

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/aligned_buffer.h"
#include "core/base/check.h"
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

// `size` is a multiple of 8 * kLanes.
float ReadAllOfTarget(const float* values, std::size_t size) {
  constexpr std::size_t kVectors = 8;
  Float sums[kVectors];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kVectors; ++i) {
    sums[i] = Set(0.0F);
  }
  for (std::size_t at = 0; at < size; at += kVectors * kLanes) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kVectors; ++i) {
      sums[i] = hn::Add(sums[i], hn::Load(kFloat, values + at + i * kLanes));
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

float SumOfAll(const float* values, std::size_t size) {
  return HWY_DYNAMIC_DISPATCH(ReadAllOfTarget)(values, size);
}

}  // namespace
}  // namespace relu::kernels

namespace relu::benchmarks {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20U;
// Eight of the widest vectors.
constexpr std::size_t kReadUnitBytes =
    8 * kernels::kPanelColumns * sizeof(float);

}  // namespace

double MultiplyAdd(std::size_t steps) {
  double operations = 0.0;
  [[maybe_unused]] volatile float sum =
      kernels::SumOfMultiplyAdd(steps, operations);
  return operations;
}

ReadableMemory::ReadableMemory(std::size_t size_bytes)
    : size_bytes_(RoundUp(size_bytes, kReadUnitBytes)),
      mapped_bytes_(size_bytes_ + 2 * kHugePageBytes) {
  mapped_ = mmap(/*addr=*/nullptr, mapped_bytes_, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, /*fd=*/-1, /*offset=*/0);
  CHECK(mapped_ != MAP_FAILED);
  auto* const begin = static_cast<std::byte*>(mapped_);
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  std::byte* const aligned =
      begin + (RoundUp(address, kHugePageBytes) - address);
  // Only a wish: without huge pages it reads more slowly.
  madvise(aligned, RoundUp(size_bytes_, kHugePageBytes), MADV_HUGEPAGE);
  // Pages that nobody has written to are all the same page.
  std::memset(aligned, 0, size_bytes_);
  values_ = reinterpret_cast<const float*>(aligned);
}

ReadableMemory::~ReadableMemory() { munmap(mapped_, mapped_bytes_); }

void ReadableMemory::Read() const {
  [[maybe_unused]] volatile float sum =
      kernels::SumOfAll(values_, size_bytes_ / sizeof(float));
}

}  // namespace relu::benchmarks
#endif  // HWY_ONCE
