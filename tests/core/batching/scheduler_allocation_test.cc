// To submit requests takes no memory.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/batching/dispatcher.h"
#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "tests/support/counted_allocations.h"

namespace relu {
namespace {

TEST(SchedulerAllocationTest, SubmitDoesNotAllocateOnceItHasRun) {
  Dispatcher dispatcher;
  Scheduler scheduler(dispatcher, {.slots = 2, .max_batch_rows = 4},
                      [](int, std::span<BatchSlice>) {});
  std::array<InferenceRequest, 3> calls;
  std::array<InferenceRequest*, 3> requests{};
  for (std::size_t i = 0; i < calls.size(); ++i) {
    calls[i].rows = 3;  // Nine rows: two requests are split.
    calls[i].deadline = InferenceRequest::Clock::now() + std::chrono::hours(1);
    calls[i].done = [](const absl::Status&) {};
    requests[i] = &calls[i];
  }
  scheduler.Submit(requests);

  const std::int64_t before = AllocationsOfThread();
  scheduler.Submit(requests);
  const std::int64_t after = AllocationsOfThread();

  EXPECT_GT(before, 0);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace relu
