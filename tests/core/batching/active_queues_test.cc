#include "core/batching/active_queues.h"

#include <chrono>
#include <cstddef>
#include <deque>
#include <span>
#include <string>

#include "gtest/gtest.h"

#include "core/batching/inference_request.h"
#include "core/batching/model_queue.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using Clock = InferenceRequest::Clock;

constexpr Clock::time_point kNow = Clock::time_point(std::chrono::seconds(1));

class ActiveQueuesTest : public testing::Test {
 protected:
  ModelQueue& NewQueue() {
    return queues_.emplace_back(SchedulerOptions{.max_batch_rows = 1},
                                [](int, std::span<BatchSlice>) {});
  }

  // Adds a request of one row, if it may be added.
  Rejection Add(ModelQueue& queue, std::size_t bytes = 0) {
    InferenceRequest& request = requests_.emplace_back();
    request.rows = 1;
    request.bytes = bytes;
    request.queued_at = kNow;
    EXPECT_EQ(queue.Admit(request, kNow, 1), Rejection::kNone);
    const Rejection rejection = active_.Check(queue, request);
    if (rejection == Rejection::kNone) {
      queue.Add(request);
      active_.Update(queue);
    }
    return rejection;
  }

  // Runs a batch of whose turn it is, which takes so long.
  ModelQueue* RunNext(milliseconds cost) {
    ModelQueue* const queue = active_.Next(kNow);
    if (queue != nullptr) {
      queue->Release(active_.Start(*queue, kNow), cost);
    }
    return queue;
  }

  ActiveQueues active_{{.max_requests = 20, .max_bytes = 1000}};
  std::deque<ModelQueue> queues_;
  std::deque<InferenceRequest> requests_;
};

TEST_F(ActiveQueuesTest, NothingWaitsAtFirst) {
  EXPECT_EQ(active_.Next(kNow), nullptr);
  EXPECT_EQ(active_.NextEvent(kNow), Clock::time_point::max());
  EXPECT_EQ(active_.PopExpired(kNow).request, nullptr);
}

TEST_F(ActiveQueuesTest, ModelsTakeTurnsByTheTimeTheyTook) {
  ModelQueue& slow = NewQueue();
  ModelQueue& quick = NewQueue();
  for (int i = 0; i < 5; ++i) {
    Add(slow);
    Add(quick);
  }
  std::string order;
  for (int i = 0; i < 8; ++i) {
    ModelQueue* const next = active_.Next(kNow);
    order += next == &slow ? 's' : 'q';
    RunNext(milliseconds(next == &slow ? 3 : 1));
  }
  // 3 ms of the one for 3 ms of the other.
  EXPECT_EQ(order, "sqqqsqqs");
}

TEST_F(ActiveQueuesTest, ModelThatWasIdleHasNoTimeSavedUp) {
  ModelQueue& busy = NewQueue();
  ModelQueue& idle = NewQueue();
  for (int i = 0; i < 8; ++i) {
    Add(busy);
  }
  RunNext(milliseconds(100));
  RunNext(milliseconds(100));
  Add(idle);
  Add(idle);
  Add(idle);
  EXPECT_EQ(RunNext(milliseconds(100)), &idle);
  // Level now, or nearly: not two more of the same.
  EXPECT_EQ(RunNext(milliseconds(100)), &busy);
}

TEST_F(ActiveQueuesTest, ExpiredRequestsAreFoundInEveryModel) {
  ModelQueue& first = NewQueue();
  ModelQueue& second = NewQueue();
  for (ModelQueue* queue : {&first, &second}) {
    InferenceRequest& request = requests_.emplace_back();
    request.rows = 1;
    request.deadline = kNow + milliseconds(queue == &first ? 7 : 5);
    ASSERT_EQ(queue->Admit(request, kNow, 1), Rejection::kNone);
    queue->Add(request);
    active_.Update(*queue);
  }
  EXPECT_EQ(active_.NextEvent(kNow), kNow + milliseconds(5));
  EXPECT_EQ(active_.PopExpired(kNow + milliseconds(6)).queue, &second);
  EXPECT_EQ(active_.PopExpired(kNow + milliseconds(6)).queue, nullptr);
  EXPECT_EQ(active_.PopExpired(kNow + milliseconds(9)).queue, &first);
  EXPECT_EQ(active_.requests(), 0U);
}

TEST_F(ActiveQueuesTest, RequestsInAllAreBounded) {
  ModelQueue& queue = NewQueue();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Add(queue), Rejection::kNone);
  }
  EXPECT_EQ(Add(queue), Rejection::kTotalRequests);
  RunNext(milliseconds(1));
  EXPECT_EQ(Add(queue), Rejection::kNone);
}

TEST_F(ActiveQueuesTest, BytesInAllAreBounded) {
  ModelQueue& queue = NewQueue();
  EXPECT_EQ(Add(queue, 600), Rejection::kNone);
  EXPECT_EQ(Add(queue, 1), Rejection::kTotalBytes);
}

TEST_F(ActiveQueuesTest, FloodedModelLeavesRoomForOthers) {
  ModelQueue& flooded = NewQueue();
  while (Add(flooded) == Rejection::kNone) {
  }
  ModelQueue& second = NewQueue();
  ModelQueue& third = NewQueue();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Add(second), Rejection::kNone);
  }
  EXPECT_EQ(Add(second), Rejection::kTotalRequests);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Add(third), Rejection::kNone);
  }
  EXPECT_EQ(Add(third), Rejection::kTotalRequests);
}

TEST_F(ActiveQueuesTest, WaitingCostIsThatOfAllModels) {
  ModelQueue& first = NewQueue();
  ModelQueue& second = NewQueue();
  first.cost().Note(1, milliseconds(2));
  second.cost().Note(1, milliseconds(3));
  Add(first);
  Add(first);
  Add(second);
  EXPECT_EQ(std::chrono::round<milliseconds>(active_.WaitingCost()),
            milliseconds(7));
}

}  // namespace
}  // namespace relu
