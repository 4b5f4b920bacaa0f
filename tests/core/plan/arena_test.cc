#include "core/plan/arena.h"

#include <cstddef>
#include <random>
#include <vector>

#include "gtest/gtest.h"

#include "core/plan/step.h"

namespace relu {
namespace {

BufferLayout Stride(std::size_t bytes) {
  return {.row_bytes = bytes, .row_stride_bytes = bytes};
}

TEST(ArenaTest, BuffersShareMemoryWhenLifetimesDoNotOverlap) {
  const std::vector<Lifetime> lifetimes{{.first_step = 0, .last_step = 1},
                                        {.first_step = 1, .last_step = 2},
                                        {.first_step = 2, .last_step = 3}};
  std::vector<BufferLayout> buffers{Stride(128), Stride(64), Stride(128)};
  EXPECT_EQ(PlaceBuffers(lifetimes, buffers), 192U);
  EXPECT_EQ(buffers[0].offset_bytes, 0U);
  EXPECT_EQ(buffers[1].offset_bytes, 128U);
  EXPECT_EQ(buffers[2].offset_bytes, 0U);
}

TEST(ArenaTest, BufferGoesIntoGapOnlyWhenItFits) {
  const std::vector<Lifetime> lifetimes{{.first_step = 0, .last_step = 1},
                                        {.first_step = 0, .last_step = 9},
                                        {.first_step = 2, .last_step = 9},
                                        {.first_step = 3, .last_step = 9}};
  std::vector<BufferLayout> buffers{Stride(128), Stride(64), Stride(192),
                                    Stride(128)};
  PlaceBuffers(lifetimes, buffers);
  EXPECT_EQ(buffers[2].offset_bytes, 192U);
  EXPECT_EQ(buffers[3].offset_bytes, 0U);
}

TEST(ArenaTest, NoTwoLiveBuffersOverlapInRandomPlans) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> lifetimes;
    std::vector<BufferLayout> buffers;
    for (int i = 0; i < 20; ++i) {
      const std::size_t first = random() % 10;
      lifetimes.push_back(
          {.first_step = first, .last_step = first + random() % 5});
      buffers.push_back(Stride(64 * (random() % 5)));
    }
    const std::size_t total_bytes = PlaceBuffers(lifetimes, buffers);
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      const std::size_t end =
          buffers[i].offset_bytes + buffers[i].row_stride_bytes;
      ASSERT_LE(end, total_bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool live_together =
            lifetimes[i].first_step <= lifetimes[j].last_step &&
            lifetimes[j].first_step <= lifetimes[i].last_step;
        const bool overlap =
            buffers[i].offset_bytes <
                buffers[j].offset_bytes + buffers[j].row_stride_bytes &&
            buffers[j].offset_bytes < end;
        ASSERT_FALSE(live_together && overlap) << "buffers " << i << ", " << j;
      }
    }
  }
}

}  // namespace
}  // namespace relu
