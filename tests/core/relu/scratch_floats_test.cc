#include "core/relu/scratch_floats.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "core/base/aligned_buffer.h"

namespace relu {
namespace {

TEST(ScratchFloatsTest, StartsOnACacheLineWhateverItsSize) {
  std::vector<ScratchFloats> all;  // At once, so that all lie elsewhere.
  for (std::size_t count = 1; count < 100; ++count) {
    float* const first = all.emplace_back(count).data();
    EXPECT_EQ(std::bit_cast<std::uintptr_t>(first) % kBufferAlignment, 0U);
    first[0] = 1;
    first[count - 1] = 2;  // Within it, as the address sanitizer sees.
  }
  EXPECT_EQ(all[5].data()[5], 2);
}

TEST(ScratchFloatsTest, StandInThePlaceThatIsGivenIfTheyFit) {
  alignas(kBufferAlignment) float place[16];
  EXPECT_EQ(ScratchFloats(16, place).data(), place);
  ScratchFloats larger(17, place);
  EXPECT_NE(larger.data(), place);
  larger.data()[16] = 1;
}

}  // namespace
}  // namespace relu
