#include "core/batching/timekeeper.h"

#include <chrono>
#include <span>
#include <thread>

#include "gtest/gtest.h"

#include "core/batching/dispatcher.h"
#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "tests/core/batching/scheduler_testing.h"

namespace relu {
namespace {

TEST(TimekeeperTest, EndsWithoutHavingHadAnythingToDo) {
  Dispatcher dispatcher;
  const Timekeeper timekeeper(dispatcher);
}

TEST(TimekeeperTest, BatchThatWaitsForCompanyRunsInTheEnd) {
  Dispatcher dispatcher;
  const Timekeeper timekeeper(dispatcher);
  Scheduler model(
      dispatcher,
      {.batching = {.max_queue_delay = std::chrono::milliseconds(1)}},
      [](int, std::span<BatchSlice>) {});
  for (int i = 0; i < 20; ++i) {
    Call call(1);
    Submit(model, {&call});
    while (call.times_done() == 0) {
      std::this_thread::yield();
    }
    model.Drain();  // Until `done` has returned.
    EXPECT_TRUE(call.status().ok()) << call.status();
  }
}

}  // namespace
}  // namespace relu
