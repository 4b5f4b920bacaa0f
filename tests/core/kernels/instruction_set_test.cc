#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/kernels/kernels.h"
#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

using testing::Contains;
using testing::Not;

using InstructionSetTest = EveryTargetTest;
INSTANTIATE_TEST_SUITE_P(Each, InstructionSetTest, EveryTarget(), TargetOf);

TEST_P(InstructionSetTest, NameIsOfTheTargetThatRuns) {
  EXPECT_EQ(std::string_view(InstructionSet()), hwy::TargetName(GetParam()));
}

TEST(TargetsTest, PortableCodeIsAlwaysThere) {
  EXPECT_THAT(hwy::SupportedAndGeneratedTargets(), Contains(HWY_SCALAR));
}

#if HWY_ARCH_X86_64
TEST(TargetsTest, SetsWithoutFusedMultiplyAddAreNotThere) {
  EXPECT_THAT(hwy::SupportedAndGeneratedTargets(), Not(Contains(HWY_SSE4)));
  EXPECT_THAT(hwy::SupportedAndGeneratedTargets(), Not(Contains(HWY_SSSE3)));
}

TEST(TargetsTest, Avx2IsThereIfTheCpuHasIt) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    GTEST_SKIP() << "this CPU has no AVX2";
  }
  EXPECT_THAT(hwy::SupportedAndGeneratedTargets(), Contains(HWY_AVX2));
}

TEST(TargetsTest, Avx512IsThereIfTheCpuHasIt) {
  if (!__builtin_cpu_supports("avx512f") ||
      !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl")) {
    GTEST_SKIP() << "this CPU has no AVX-512";
  }
  EXPECT_THAT(hwy::SupportedAndGeneratedTargets(), Contains(HWY_AVX3));
}
#endif

}  // namespace
}  // namespace relu::kernels
