#include "core/metrics/sharded_counters.h"

#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(ShardedCountersTest, StartAtZero) {
  const ShardedCounters counters(9, 3);

  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(counters.Sum(i), 0U);
    EXPECT_EQ(counters.Max(i), 0U);
  }
}

TEST(ShardedCountersTest, EachCounterHasItsOwnSum) {
  ShardedCounters counters(20, 2);

  for (std::size_t i = 0; i < 20; ++i) {
    counters.Local().Add(i, i);
    counters.Local().Add(i, 1);
  }

  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(counters.Sum(i), i + 1);
  }
}

TEST(ShardedCountersTest, MinusOneTakesBackWhatAnotherShardMayHold) {
  ShardedCounters counters(1, 4);

  counters.Local().Add(0, 2);
  counters.Local().Add(0, ~std::uint64_t{0});

  EXPECT_EQ(counters.Sum(0), 1U);
}

TEST(ShardedCountersTest, MaxIsTheLastOfOneThread) {
  ShardedCounters counters(1, 1);

  counters.Local().Store(0, 7);
  counters.Local().Store(0, 5);

  EXPECT_EQ(counters.Max(0), 5U);
}

TEST(ShardedCountersTest, NothingIsLostBetweenManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 10'000;
  ShardedCounters counters(2, 2);
  std::vector<std::thread> threads;

  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int time = 0; time < kTimes; ++time) {
        counters.Local().Add(0, 1);
        counters.Local().Add(1, 3);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }

  EXPECT_EQ(counters.Sum(0), 1U * kThreads * kTimes);
  EXPECT_EQ(counters.Sum(1), 3U * kThreads * kTimes);
}

}  // namespace
}  // namespace relu
