#include "core/plan/weight_memory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(WeightMemoryTest, PiecesLieOneAfterTheOtherOnCacheLines) {
  WeightMemory memory(WeightMemory::Size(1) + WeightMemory::Size(64) +
                      WeightMemory::Size(100));
  const std::span<std::byte> first = memory.Take(1);
  const std::span<std::byte> second = memory.Take(64);
  const std::span<std::byte> third = memory.Take(100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first.data()) % 64, 0U);
  EXPECT_EQ(second.data(), first.data() + 64);
  EXPECT_EQ(third.data(), second.data() + 64);
  EXPECT_EQ(third.size(), 100U);
  EXPECT_TRUE(std::ranges::all_of(
      third, [](std::byte value) { return value == std::byte{0}; }));
}

TEST(WeightMemoryTest, PiecesStayWhereTheyAreWhenItMoves) {
  WeightMemory memory(64);
  const std::span<std::byte> piece = memory.Take(3);
  piece[2] = std::byte{7};
  const WeightMemory moved = std::move(memory);
  EXPECT_EQ(piece[2], std::byte{7});
}

TEST(WeightMemoryTest, NothingTakesNothing) {
  WeightMemory memory(0);
  EXPECT_TRUE(memory.Take(0).empty());
}

}  // namespace
}  // namespace relu
