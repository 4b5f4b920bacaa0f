// What the tests of elementwise kernels share: inputs of all kinds, and what
// must hold for each function of one value.

#ifndef TESTS_CORE_KERNELS_FUNCTION_TESTING_H_
#define TESTS_CORE_KERNELS_FUNCTION_TESTING_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "core/kernels/targets.h"
#include "tests/core/kernels/guarded_floats.h"
#include "tests/core/kernels/kernel_testing.h"
#include "tests/support/golden_hashes.h"

namespace relu::kernels {

using RowKernel = std::function<void(std::size_t, const float*, float*)>;

inline std::vector<float> ApplyTo(const RowKernel& kernel,
                                  const std::vector<float>& input) {
  std::vector<float> output(input.size());
  kernel(input.size(), input.data(), output.data());
  return output;
}

inline float ApplyToOne(const RowKernel& kernel, float input) {
  float output = 0.0F;
  kernel(1, &input, &output);
  return output;
}

// Rows of few values: nothing else is read or written.
inline void ExpectStaysWithin(const RowKernel& kernel) {
  for (std::size_t size = 1; size <= 40; ++size) {
    const std::vector<float> values = RandomValues(size, /*seed=*/12);
    GuardedFloats input(size);
    GuardedFloats output(size + 1);  // One before.
    output.floats()[0] = -77.0F;
    std::ranges::copy(values, input.floats().begin());
    kernel(size, input.floats().data(), output.floats().data() + 1);
    const std::vector<float> result(output.floats().begin() + 1,
                                    output.floats().end());
    EXPECT_EQ(FirstDifference(result, ApplyTo(kernel, values)), "") << size;
    EXPECT_EQ(output.floats()[0], -77.0F) << size;
  }
}

inline double ExactSigmoid(double x) {
  return x < 0.0 ? std::exp(x) / (1.0 + std::exp(x))
                 : 1.0 / (1.0 + std::exp(-x));
}

// Floats of every sign and exponent: each `step`th, without NaN.
inline std::vector<float> Sweep(std::uint32_t step = 10007) {
  std::vector<float> values;
  constexpr std::uint32_t kInfinityBits = 0x7f800000U;
  for (std::uint32_t bits = 0; bits <= kInfinityBits; bits += step) {
    values.push_back(std::bit_cast<float>(bits));
    values.push_back(-values.back());
  }
  values.insert(values.end(), {kInfinity, -kInfinity});
  return values;
}

// Values close together, where the functions bend.
inline std::vector<float> DenseSweep() {
  std::vector<float> values;
  for (int i = -120'000; i <= 120'000; ++i) {
    values.push_back(static_cast<float>(i) * 0x1.01p-10F);
  }
  return values;
}

// The largest |actual - exact| / |exact| of `kernel` over `inputs`. Where the
// exact value is smaller than `smallest`, that takes its place. Infinity
// must meet infinity, or what float32 has no room for, and NaN must meet NaN.
inline double WorstError(const RowKernel& kernel,
                         const std::function<double(double)>& exact,
                         const std::vector<float>& inputs,
                         double smallest = 0x1p-126) {
  constexpr double kMaxFloat = 0x1.ffffffp127;
  const std::vector<float> outputs = ApplyTo(kernel, inputs);
  double worst = 0.0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const double value = exact(static_cast<double>(inputs[i]));
    const auto output = static_cast<double>(outputs[i]);
    if ((std::isnan(value) && std::isnan(output)) || value == output ||
        (std::isinf(output) && std::abs(value) > kMaxFloat &&
         (value < 0) == (output < 0))) {
      continue;
    }
    const double error =
        std::abs(output - value) / std::max(std::abs(value), smallest);
    worst = std::max(worst, std::isnan(error) ? HUGE_VAL : error);
  }
  return worst;
}

// `kernel` gives each element the same bits alone as among others, wherever it
// lies, in place too, and writes nothing beyond.
inline void ExpectElementwise(const RowKernel& kernel) {
  const std::vector<float> pool = Sweep(/*step=*/100'003);
  for (std::size_t size = 0; size <= 40; ++size) {
    std::vector<float> input(size);
    std::vector<float> expected(size);
    for (std::size_t i = 0; i < size; ++i) {
      input[i] = pool[(size * 7919 + i * 104729) % pool.size()];
      expected[i] = ApplyToOne(kernel, input[i]);
    }
    std::vector<float> in_place = input;
    in_place.push_back(-77.0F);

    kernel(size, in_place.data(), in_place.data());

    EXPECT_EQ(in_place.back(), -77.0F);
    in_place.pop_back();
    EXPECT_EQ(FirstDifference(in_place, expected), "") << "size " << size;
    EXPECT_EQ(FirstDifference(ApplyTo(kernel, input), expected), "")
        << "size " << size;
  }
}

// The target of the test gives the bits that portable code gives.
inline void ExpectBitsOfPortableCode(const RowKernel& kernel,
                                     const std::vector<float>& input) {
  const std::vector<float> output = ApplyTo(kernel, input);
  hwy::SetSupportedTargetsForTest(HWY_SCALAR);
  EXPECT_EQ(FirstDifference(output, ApplyTo(kernel, input)), "");
}

// The bits are those that every kind of CPU gives.
inline void ExpectGoldenBits(const std::string& name,
                             std::vector<float> values) {
  for (float& value : values) {
    value = std::isnan(value) ? kNan : value;  // All NaNs are the same.
  }
  ExpectGoldenHash("tests/testdata/golden/functions.txt", name,
                   std::as_bytes(std::span(values)));
}

}  // namespace relu::kernels

#endif  // TESTS_CORE_KERNELS_FUNCTION_TESTING_H_
