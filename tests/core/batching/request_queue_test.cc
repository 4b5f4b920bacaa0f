#include "core/batching/request_queue.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/batching_options.h"
#include "core/batching/inference_request.h"

namespace relu {
namespace {

using std::chrono::microseconds;
using testing::ElementsAre;
using Clock = InferenceRequest::Clock;
using TimeoutAction = QueuePolicy::TimeoutAction;

Clock::time_point At(int time) { return Clock::time_point(microseconds(time)); }

// Adds requests and takes them out again.
class RequestQueueTest : public testing::Test {
 protected:
  RequestQueue& Make(const BatchingOptions& options,
                     const QueueLimits& limits = {}) {
    return queue_.emplace_back(options, limits);
  }

  // A request of one row that came at time 0.
  InferenceRequest& New(std::uint64_t priority = 0, int timeout_us = 0) {
    InferenceRequest& request = requests_.emplace_back();
    request.rows = 1;
    request.priority = priority;
    request.timeout = microseconds(timeout_us);
    return request;
  }

  Rejection Add(RequestQueue& queue, InferenceRequest& request) {
    queue.Prepare(request, At(0));
    const Rejection rejection = queue.Check(request);
    if (rejection == Rejection::kNone) {
      queue.Add(request);
    }
    return rejection;
  }

  // The requests in their order, by their number.
  std::vector<std::size_t> Order(const RequestQueue& queue) const {
    std::vector<std::size_t> order;
    for (const InferenceRequest* request = queue.first(); request != nullptr;
         request = queue.After(*request)) {
      for (std::size_t i = 0; i < requests_.size(); ++i) {
        if (&requests_[i] == request) {
          order.push_back(i);
        }
      }
    }
    return order;
  }

  std::deque<RequestQueue> queue_;
  std::deque<InferenceRequest> requests_;
};

TEST_F(RequestQueueTest, FirstComesFirst) {
  RequestQueue& queue = Make({});
  EXPECT_EQ(queue.first(), nullptr);
  for (int i = 0; i < 3; ++i) {
    Add(queue, New());
  }
  EXPECT_THAT(Order(queue), ElementsAre(0, 1, 2));
  EXPECT_EQ(queue.size(), 3U);
}

TEST_F(RequestQueueTest, HigherPriorityComesFirst) {
  RequestQueue& queue =
      Make({.priority_levels = 3, .default_priority_level = 2});
  Add(queue, New(3));
  Add(queue, New(2));
  Add(queue, New(1));
  Add(queue, New(0));  // The default.
  Add(queue, New(4));  // There is none: the default.
  Add(queue, New(1));
  EXPECT_THAT(Order(queue), ElementsAre(2, 5, 1, 3, 4, 0));
}

TEST_F(RequestQueueTest, RowsAheadAreThoseOfTheSameAndHigherPriorities) {
  RequestQueue& queue =
      Make({.priority_levels = 2, .default_priority_level = 1});
  New(1).rows = 5;
  New(2).rows = 7;
  Add(queue, requests_[0]);
  Add(queue, requests_[1]);
  EXPECT_EQ(queue.RowsUpTo(0), 5);
  EXPECT_EQ(queue.RowsUpTo(1), 12);
  EXPECT_EQ(queue.rows(), 12);
}

TEST_F(RequestQueueTest, TakenRowsWaitNoLonger) {
  RequestQueue& queue = Make({});
  New().rows = 5;
  Add(queue, requests_[0]);
  queue.Take(3);
  EXPECT_EQ(queue.rows(), 2);
  EXPECT_EQ(queue.first(), &requests_[0]);
  EXPECT_TRUE(queue.Holds(requests_[0]));
  queue.Take(2);
  EXPECT_EQ(queue.first(), nullptr);
  EXPECT_FALSE(queue.Holds(requests_[0]));
  EXPECT_EQ(queue.size(), 0U);
}

TEST_F(RequestQueueTest, RemovedRequestLeavesFromAnywhere) {
  RequestQueue& queue = Make({});
  for (int i = 0; i < 4; ++i) {
    Add(queue, New());
  }
  queue.Remove(requests_[1]);
  queue.Remove(requests_[3]);
  EXPECT_THAT(Order(queue), ElementsAre(0, 2));
  queue.Remove(requests_[0]);
  queue.Remove(requests_[2]);
  EXPECT_EQ(queue.rows(), 0);
}

TEST_F(RequestQueueTest, RequestsAreBoundedByPriority) {
  BatchingOptions options{.priority_levels = 2, .default_priority_level = 1};
  options.default_queue_policy.max_queue_size = 2;
  options.priority_queue_policy[2].max_queue_size = 1;
  RequestQueue& queue = Make(options);
  EXPECT_EQ(Add(queue, New(2)), Rejection::kNone);
  EXPECT_EQ(Add(queue, New(2)), Rejection::kQueueRequests);
  EXPECT_EQ(Add(queue, New(1)), Rejection::kNone);
  EXPECT_EQ(Add(queue, New(1)), Rejection::kNone);
  EXPECT_EQ(Add(queue, New(1)), Rejection::kQueueRequests);
}

TEST_F(RequestQueueTest, PolicyWithoutSizeHasThatOfTheServer) {
  RequestQueue& queue = Make({}, {.max_requests = 1});
  EXPECT_EQ(Add(queue, New()), Rejection::kNone);
  EXPECT_EQ(Add(queue, New()), Rejection::kQueueRequests);
}

TEST_F(RequestQueueTest, BytesAreBoundedButOneRequestMayAlwaysWait) {
  RequestQueue& queue = Make({}, {.max_bytes = 100});
  New().bytes = 1000;
  New().bytes = 1;
  EXPECT_EQ(Add(queue, requests_[0]), Rejection::kNone);
  EXPECT_EQ(Add(queue, requests_[1]), Rejection::kQueueBytes);
  EXPECT_EQ(queue.bytes(), 1000U);
  queue.Take(1);
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_EQ(Add(queue, requests_[1]), Rejection::kNone);
  New().bytes = 99;
  New().bytes = 1;
  EXPECT_EQ(Add(queue, requests_[2]), Rejection::kNone);
  EXPECT_EQ(Add(queue, requests_[3]), Rejection::kQueueBytes);
}

TEST_F(RequestQueueTest, DeadlineOfTheClientExpires) {
  RequestQueue& queue = Make({});
  New().deadline = At(10);
  Add(queue, requests_[0]);
  Add(queue, New());
  EXPECT_EQ(queue.next_expiry(), At(10));
  EXPECT_EQ(queue.PopExpired(At(9)), nullptr);
  EXPECT_EQ(queue.PopExpired(At(10)), &requests_[0]);
  EXPECT_EQ(queue.PopExpired(At(10)), nullptr);
  EXPECT_THAT(Order(queue), ElementsAre(1));
}

TEST_F(RequestQueueTest, TimeoutOfTheRequestExpiresByDefault) {
  RequestQueue& queue = Make({});
  Add(queue, New(0, 7));
  EXPECT_EQ(queue.next_expiry(), At(7));
}

TEST_F(RequestQueueTest, TimeoutOfTheRequestMayOnlyShortenThePolicys) {
  BatchingOptions options;
  options.default_queue_policy.default_timeout = microseconds(50);
  RequestQueue& queue = Make(options);
  Add(queue, New(0, 7));
  Add(queue, New(0, 70));
  Add(queue, New());
  EXPECT_EQ(requests_[0].progress.drop_at, At(7));
  EXPECT_EQ(requests_[1].progress.drop_at, At(50));
  EXPECT_EQ(requests_[2].progress.drop_at, At(50));
}

TEST_F(RequestQueueTest, TimeoutOfTheRequestIsIgnoredWherePolicySaysSo) {
  BatchingOptions options;
  options.default_queue_policy.default_timeout = microseconds(50);
  options.default_queue_policy.allow_timeout_override = false;
  RequestQueue& queue = Make(options);
  Add(queue, New(0, 7));
  EXPECT_EQ(requests_[0].progress.drop_at, At(50));
}

TEST_F(RequestQueueTest, HugeTimeoutIsNone) {
  RequestQueue& queue = Make({});
  InferenceRequest& request = New();
  request.timeout = microseconds::max();
  Add(queue, request);
  EXPECT_EQ(queue.next_expiry(), Clock::time_point::max());
}

TEST_F(RequestQueueTest, DelayedRequestsComeAfterTheOthersOfTheirPriority) {
  BatchingOptions options{.priority_levels = 2, .default_priority_level = 1};
  options.default_queue_policy = {.timeout_action = TimeoutAction::kDelay,
                                  .default_timeout = microseconds(100)};
  RequestQueue& queue = Make(options);
  Add(queue, New(1, 10));
  Add(queue, New(2));
  Add(queue, New(1));
  EXPECT_THAT(Order(queue), ElementsAre(0, 2, 1));
  EXPECT_EQ(queue.PopExpired(At(10)), nullptr);
  EXPECT_THAT(Order(queue), ElementsAre(2, 0, 1));
  EXPECT_TRUE(queue.Holds(requests_[0]));
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(queue.next_expiry(), At(100));
}

TEST_F(RequestQueueTest, DelayedRequestStillHasTheDeadlineOfItsClient) {
  BatchingOptions options;
  options.default_queue_policy = {.timeout_action = TimeoutAction::kDelay,
                                  .default_timeout = microseconds(10)};
  RequestQueue& queue = Make(options);
  New().deadline = At(30);
  Add(queue, requests_[0]);
  EXPECT_EQ(queue.PopExpired(At(10)), nullptr);
  EXPECT_EQ(queue.next_expiry(), At(30));
  EXPECT_EQ(queue.PopExpired(At(30)), &requests_[0]);
}

}  // namespace
}  // namespace relu
