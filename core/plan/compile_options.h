// CompileOptions: choices that a user makes for a plan.

#ifndef CORE_PLAN_COMPILE_OPTIONS_H_
#define CORE_PLAN_COMPILE_OPTIONS_H_

#include <cstdint>

namespace relu {

// When dense layers skip inputs that are zero. The answer is the same, to the
// bit, whatever is chosen.
enum class ZeroSkip : std::uint8_t {
  // Where it is faster, by the number of zeros that are there: both ways are
  // timed, once, while compiling (a few milliseconds).
  kMeasured,
  kNever,
  kAlways,  // For tests and benchmarks.
};

// How the weights of dense layers are stored. Sums are taken in float32.
enum class WeightStorage : std::uint8_t {
  kFloat32,
  // Rounded to the nearest float16: half the memory, and the time, where it is
  // memory that takes the time. Other answers, with errors of 1e-3 or so.
  kFloat16,
};

struct CompileOptions {
  ZeroSkip zero_skip = ZeroSkip::kMeasured;
  WeightStorage weights = WeightStorage::kFloat32;
};

}  // namespace relu

#endif  // CORE_PLAN_COMPILE_OPTIONS_H_
