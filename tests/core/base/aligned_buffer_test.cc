#include "core/base/aligned_buffer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "gtest/gtest.h"

namespace relu {
namespace {

bool IsAligned(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) % kBufferAlignment == 0;
}

TEST(AlignedBufferTest, DefaultIsEmpty) {
  const AlignedBuffer buffer;

  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_TRUE(buffer.bytes().empty());
  EXPECT_TRUE(buffer.As<float>().empty());
}

TEST(AlignedBufferTest, ZeroBytesIsEmpty) {
  const AlignedBuffer buffer(0);

  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_TRUE(buffer.bytes().empty());
}

TEST(AlignedBufferTest, BytesAreAlignedAndZeroForEverySize) {
  for (std::size_t size = 1; size <= 200; ++size) {
    const AlignedBuffer buffer(size);

    ASSERT_EQ(buffer.size(), size);
    ASSERT_EQ(buffer.bytes().size(), size);
    ASSERT_TRUE(IsAligned(buffer.bytes().data())) << size;
    ASSERT_TRUE(std::ranges::all_of(buffer.bytes(), [](std::byte value) {
      return value == std::byte{0};
    })) << size;
  }
}

TEST(AlignedBufferTest, LargeBuffersStartOnALargePage) {
  constexpr std::size_t kLargePage = std::size_t{2} << 20U;
  for (const std::size_t size : {kLargePage, 2 * kLargePage + 1}) {
    const AlignedBuffer buffer(size);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_EQ(
        reinterpret_cast<std::uintptr_t>(buffer.bytes().data()) % kLargePage,
        0U);
    EXPECT_EQ(buffer.bytes().front(), std::byte{0});
    EXPECT_EQ(buffer.bytes().back(), std::byte{0});
  }
}

TEST(AlignedBufferTest, AsViewsTheSameMemory) {
  AlignedBuffer buffer(3 * sizeof(float) + 1);

  buffer.As<float>()[2] = 1.5F;

  EXPECT_EQ(buffer.As<float>().size(), 3U);
  EXPECT_EQ(static_cast<const AlignedBuffer&>(buffer).As<float>()[2], 1.5F);
  // 1.5 is 0x3FC00000, little-endian.
  EXPECT_EQ(buffer.bytes()[11], std::byte{0x3F});
}

TEST(AlignedBufferTest, MoveConstructionTakesMemoryAndLeavesEmpty) {
  AlignedBuffer from(8);
  from.bytes()[0] = std::byte{7};
  const std::byte* memory = from.bytes().data();

  const AlignedBuffer to(std::move(from));

  EXPECT_EQ(to.bytes().data(), memory);
  EXPECT_EQ(to.size(), 8U);
  EXPECT_EQ(from.size(), 0U);  // NOLINT(bugprone-use-after-move): the subject.
  EXPECT_TRUE(from.bytes().empty());
}

TEST(AlignedBufferTest, MoveAssignmentTakesMemoryAndLeavesEmpty) {
  AlignedBuffer from(8);
  const std::byte* memory = from.bytes().data();
  AlignedBuffer to(100);

  to = std::move(from);

  EXPECT_EQ(to.bytes().data(), memory);
  EXPECT_EQ(to.size(), 8U);
  EXPECT_EQ(from.size(), 0U);  // NOLINT(bugprone-use-after-move): the subject.
}

TEST(AlignedBufferTest, RoundUpReturnsNextMultiple) {
  EXPECT_EQ(RoundUp(0, 64), 0U);
  EXPECT_EQ(RoundUp(1, 64), 64U);
  EXPECT_EQ(RoundUp(64, 64), 64U);
  EXPECT_EQ(RoundUp(65, 64), 128U);
  EXPECT_EQ(RoundUp(7, 1), 7U);
}

}  // namespace
}  // namespace relu
