// Counts what operator new is asked for.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/batching/dispatcher.h"
#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"

namespace {
// By this thread, through the operator below.
thread_local std::int64_t allocations = 0;
}  // namespace

// These replace those of the library, to count. Not inlined: g++ would take
// the pairs apart and warn of a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size);
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}
[[gnu::noinline]] void* operator new(std::size_t size,
                                     const std::nothrow_t&) noexcept {
  return operator new(size);
}

[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

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

  const std::int64_t before = allocations;
  scheduler.Submit(requests);
  const std::int64_t after = allocations;

  EXPECT_GT(before, 0);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace relu
