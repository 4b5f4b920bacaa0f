// Which instruction sets the kernels are compiled for. Include this before any
// Highway header. A file that dispatches and a test of it must see the same
// choice.

#ifndef CORE_KERNELS_TARGETS_H_
#define CORE_KERNELS_TARGETS_H_

#ifdef HIGHWAY_HWY_DETECT_TARGETS_H_
#error "Include core/kernels/targets.h before the headers of Highway."
#endif

// The numeric contract needs a fused multiply-add, which the SSE sets lack: a
// CPU without AVX2 takes the portable code, where std::fma is exact as well.
// SVE has vectors of unknown size, which cannot fill a register tile: NEON
// serves these CPUs. What AVX3_DL adds to AVX-512 no kernel uses.
#define HWY_DISABLED_TARGETS                                               \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | \
   HWY_SVE2_128)
// The portable code is compiled whatever the compiler flags are, so that every
// machine can run and test it.
#define HWY_COMPILE_ALL_ATTAINABLE
// One kind of portable code with every compiler: HWY_SCALAR, not HWY_EMU128,
// which GCC before 12.3 miscompiles.
#define HWY_BROKEN_EMU128 1

#include "hwy/detect_targets.h"

#endif  // CORE_KERNELS_TARGETS_H_
