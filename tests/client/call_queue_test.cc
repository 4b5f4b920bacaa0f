#include "client/call_queue.h"

#include <chrono>
#include <future>
#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;

TEST(CallQueueTest, EarlyTimerDoesNotWaitForALateOne) {
  std::vector<int> fired;
  QueueTimer late([&fired](bool ok) { fired.push_back(ok ? 2 : -2); });
  QueueTimer early([&](bool ok) {
    fired.push_back(ok ? 1 : -1);
    late.Cancel();
  });
  {
    CallQueue queue;
    late.Start(hours(1), queue);
    early.Start(milliseconds(1), queue);
  }  // Waits for both.
  EXPECT_THAT(fired, ElementsAre(1, -2));
}

TEST(CallQueueTest, CancelledTimerSaysSoAtOnce) {
  bool fired = true;
  QueueTimer timer([&fired](bool ok) { fired = ok; });
  {
    CallQueue queue;
    timer.Start(hours(1), queue);
    timer.Cancel();
  }
  EXPECT_FALSE(fired);
}

TEST(CallQueueTest, TimerMayDestroyItself) {
  CallQueue queue;
  std::promise<void> done;
  auto owner = std::make_shared<std::unique_ptr<QueueTimer>>();
  *owner = std::make_unique<QueueTimer>([owner, &done](bool) {
    owner->reset();
    done.set_value();
  });
  (*owner)->Start(milliseconds(1), queue);
  owner.reset();
  done.get_future().wait();
}

TEST(CallQueueTest, UnusedQueueEndsAtOnce) { const CallQueue queue; }

}  // namespace
}  // namespace relu
