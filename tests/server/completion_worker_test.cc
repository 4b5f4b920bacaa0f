#include "server/completion_worker.h"

#include <chrono>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/scheduler.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

TEST(CompletionWorkerTest, MoreCallsInFlightThanWaitAtOnceAreAllTaken) {
  // A worker keeps 64 calls waiting; here is one, and it is to take them all
  // while none is answered.
  constexpr std::size_t kCalls = 200;
  GrpcFixture grpc({.slots = 1}, /*threads=*/1);
  SlotHolder holder(*grpc.loaded().model());
  std::vector<std::thread> calls;
  std::vector<int> codes(kCalls, -1);
  for (std::size_t i = 0; i < kCalls; ++i) {
    calls.emplace_back(
        [&, i] { codes[i] = grpc.Infer(DigitsRequest()).first.error_code(); });
  }
  while (grpc.loaded().model()->scheduler().queue_size() < kCalls) {
    std::this_thread::yield();
  }
  holder.Release();
  for (std::thread& call : calls) {
    call.join();
  }
  EXPECT_THAT(codes, testing::Each(grpc::StatusCode::OK));
}

TEST(CompletionWorkerTest, EveryThreadEndsWhicheverCallsItServed) {
  for (const int threads : {1, 2, 5}) {
    GrpcFixture grpc({}, threads);
    ASSERT_TRUE(grpc.Infer(DigitsRequest()).first.ok());
    EXPECT_EQ(grpc.server().Shutdown(std::chrono::hours(1)), 0);
  }
}

TEST(CompletionWorkerTest, ThreadsThatPollServeAndEnd) {
  GrpcFixture grpc({}, /*threads=*/2, {}, /*max_streams=*/1024,
                   /*max_connections=*/1000,
                   /*busy_poll=*/std::chrono::microseconds(50));
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(grpc.Infer(DigitsRequest()).first.ok());
  }
  EXPECT_EQ(grpc.server().Shutdown(std::chrono::hours(1)), 0);
}

TEST(CompletionWorkerTest, ServerThatServedNothingEnds) {
  GrpcFixture grpc;
  EXPECT_EQ(grpc.server().Shutdown(std::chrono::hours(1)), 0);
}

}  // namespace
}  // namespace relu
