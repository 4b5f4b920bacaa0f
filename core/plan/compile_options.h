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

struct CompileOptions {
  ZeroSkip zero_skip = ZeroSkip::kMeasured;
};

}  // namespace relu

#endif  // CORE_PLAN_COMPILE_OPTIONS_H_
