#include "core/base/in_flight_bytes.h"

#include <cstddef>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(InFlightBytesTest, TakesUpToTheLimit) {
  InFlightBytes bytes(10);
  EXPECT_TRUE(bytes.Take(4));
  EXPECT_TRUE(bytes.Take(6));
  EXPECT_EQ(bytes.bytes(), 10U);
  EXPECT_FALSE(bytes.Take(1));
  EXPECT_EQ(bytes.bytes(), 10U);
}

TEST(InFlightBytesTest, WhatIsGivenBackCanBeTakenAgain) {
  InFlightBytes bytes(10);
  ASSERT_TRUE(bytes.Take(10));
  bytes.GiveBack(3);
  EXPECT_FALSE(bytes.Take(4));
  EXPECT_TRUE(bytes.Take(3));
}

TEST(InFlightBytesTest, WhatIsAloneMayBeLarger) {
  InFlightBytes bytes(10);
  EXPECT_TRUE(bytes.Take(11));
  EXPECT_FALSE(bytes.Take(1));
}

TEST(InFlightBytesTest, ThreadsNeverTakeMoreThanTheLimitTogether) {
  constexpr std::size_t kLimit = 100;
  InFlightBytes bytes(kLimit);
  ASSERT_TRUE(bytes.Take(1));  // Nothing else is alone.
  std::vector<std::size_t> taken(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    threads.emplace_back([&bytes, &mine = taken[i]] {
      for (int turn = 0; turn < 1000; ++turn) {
        mine += bytes.Take(1) ? 1U : 0U;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::size_t all = 1;
  for (const std::size_t count : taken) {
    all += count;
  }
  EXPECT_EQ(all, bytes.bytes());
  EXPECT_LE(all, kLimit);
}

// In several steps too.
TEST(HeldBytesTest, ACallThatIsAloneMayHoldMore) {
  InFlightBytes bytes(10);
  HeldBytes alone(&bytes);
  EXPECT_TRUE(alone.Hold(8).ok());
  EXPECT_TRUE(alone.Hold(8).ok());
  HeldBytes other(&bytes);
  EXPECT_FALSE(other.Hold(1).ok());
  alone.LetGo();
  EXPECT_TRUE(other.Hold(1).ok());
  EXPECT_FALSE(alone.Hold(10).ok());
}

TEST(HeldBytesTest, WhatACallHoldsIsGivenBackAtItsEnd) {
  InFlightBytes bytes(10);
  ASSERT_TRUE(bytes.Take(1));
  {
    HeldBytes held(&bytes);
    EXPECT_TRUE(held.Hold(4).ok());
    EXPECT_TRUE(held.Hold(5).ok());
    EXPECT_EQ(bytes.bytes(), 10U);
    const absl::Status status = held.Hold(1);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(held.refused());
    EXPECT_EQ(bytes.bytes(), 10U);
    held.LetGo();
    EXPECT_FALSE(held.refused());
    EXPECT_EQ(bytes.bytes(), 1U);
    EXPECT_TRUE(held.Hold(3).ok());
  }
  EXPECT_EQ(bytes.bytes(), 1U);
}

TEST(HeldBytesTest, WhatIsThereAlreadyIsCountedBeyondTheLimit) {
  InFlightBytes bytes(10);
  HeldBytes held(&bytes);
  ASSERT_TRUE(held.Hold(8).ok());
  held.HoldAnyway(7);
  EXPECT_EQ(bytes.bytes(), 15U);
  EXPECT_FALSE(held.refused());

  HeldBytes other(&bytes);
  EXPECT_FALSE(other.Hold(1).ok());

  held.LetGo();
  EXPECT_EQ(bytes.bytes(), 0U);
}

TEST(HeldBytesTest, NothingIsCountedWhereThereIsNoLimit) {
  HeldBytes held(nullptr);
  EXPECT_TRUE(held.Hold(1000).ok());
  held.HoldAnyway(1000);
  held.LetGo();
}

}  // namespace
}  // namespace relu
