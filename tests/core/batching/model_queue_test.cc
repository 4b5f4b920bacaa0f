#include "core/batching/model_queue.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/inference_request.h"

namespace relu {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::ElementsAre;
using Clock = InferenceRequest::Clock;
using TimeoutAction = QueuePolicy::TimeoutAction;

constexpr int kThreads = 4;

class ModelQueueTest : public testing::Test {
 protected:
  ModelQueue& Make(const SchedulerOptions& options) {
    queue_ = std::make_unique<ModelQueue>(options,
                                          [](int, std::span<BatchSlice>) {});
    return *queue_;
  }

  InferenceRequest& New(std::int64_t rows = 1) {
    InferenceRequest& request = requests_.emplace_back();
    request.rows = rows;
    return request;
  }

  // At the time now_.
  Rejection Add(InferenceRequest& request) {
    request.queued_at = now_;
    const Rejection rejection = queue_->Admit(request, now_, kThreads);
    if (rejection == Rejection::kNone) {
      queue_->Add(request);
    }
    return rejection;
  }
  void AddRows(std::int64_t rows) {
    ASSERT_EQ(Add(New(rows)), Rejection::kNone);
  }

  // Takes batches until none can start, each of which takes no time. Returns
  // their rows.
  std::vector<std::int64_t> TakeAll() {
    std::vector<std::int64_t> batches;
    while (queue_->Ready(now_)) {
      const int slot = queue_->Take(now_);
      std::int64_t rows = 0;
      for (const BatchSlice& slice : queue_->batch(slot)) {
        rows += slice.rows;
      }
      batches.push_back(rows);
      queue_->Release(slot, Clock::duration(0));
    }
    return batches;
  }

  Clock::time_point now_ = Clock::time_point(std::chrono::seconds(1));
  std::unique_ptr<ModelQueue> queue_;
  std::deque<InferenceRequest> requests_;
};

// Each time one is taken, and the client of the other goes away: what follows
// is an idle server, not a slow one.
TEST_F(ModelQueueTest, IdleTimeAfterACancelledRequestIsNoPace) {
  Make({.max_batch_rows = 1, .max_queue_time = milliseconds(10)});
  for (int round = 0; round < 10; ++round) {
    AddRows(1);
    InferenceRequest& cancelled = New();
    ASSERT_EQ(Add(cancelled), Rejection::kNone);
    const int slot = queue_->Take(now_);
    queue_->Remove(cancelled);
    queue_->Release(slot, milliseconds(1));
    now_ += std::chrono::seconds(10);
  }
  AddRows(1);
  AddRows(1);
  const int slot = queue_->Take(now_);
  // It would wait for one row, of a millisecond.
  EXPECT_EQ(Add(New()), Rejection::kNone);
  queue_->Release(slot, milliseconds(1));
  TakeAll();
}

TEST_F(ModelQueueTest, BatchTakesWhatWaitsUpToTheMost) {
  Make({.max_batch_rows = 4});
  AddRows(3);
  AddRows(3);
  AddRows(1);
  EXPECT_THAT(TakeAll(), ElementsAre(4, 3));
}

TEST_F(ModelQueueTest, NothingCanStartWithoutRequestsOrSlots) {
  ModelQueue& queue = Make({.slots = 2});
  EXPECT_FALSE(queue.Ready(now_));
  AddRows(1);
  EXPECT_TRUE(queue.Ready(now_));
  const int first = queue.Take(now_);
  AddRows(1);
  const int second = queue.Take(now_);
  AddRows(1);
  EXPECT_NE(first, second);
  EXPECT_FALSE(queue.Ready(now_));
  queue.Release(first, Clock::duration(0));
  EXPECT_TRUE(queue.Ready(now_));
  EXPECT_EQ(queue.Take(now_), first);
}

TEST_F(ModelQueueTest, SizeOfTheBatchFollowsTheMeasuredCost) {
  ModelQueue& queue = Make({.max_batch_rows = 64});
  queue.cost().Note(1, microseconds(5));
  queue.cost().Note(64, microseconds(6400));
  AddRows(64);
  const int slot = queue.Take(now_);
  ASSERT_EQ(queue.batch(slot).size(), 1U);
  EXPECT_EQ(queue.batch(slot)[0].rows, 1);
}

TEST_F(ModelQueueTest, LargestPreferredSizeIsTaken) {
  Make({.max_batch_rows = 64, .batching = {.preferred_batch_size = {8, 4}}});
  AddRows(23);
  EXPECT_THAT(TakeAll(), ElementsAre(8, 8, 4, 3));
}

TEST_F(ModelQueueTest, PreferredSizesBeyondTheMostAreIgnored) {
  Make({.max_batch_rows = 6, .batching = {.preferred_batch_size = {4, 8}}});
  AddRows(7);
  EXPECT_THAT(TakeAll(), ElementsAre(4, 3));
}

TEST_F(ModelQueueTest, RequestsWaitForCompanyAsLongAsTheDelay) {
  ModelQueue& queue =
      Make({.max_batch_rows = 4,
            .batching = {.max_queue_delay = microseconds(500)}});
  AddRows(1);
  EXPECT_FALSE(queue.Ready(now_));
  EXPECT_EQ(queue.NextEvent(now_), now_ + microseconds(500));
  now_ += microseconds(300);
  AddRows(1);
  EXPECT_EQ(queue.NextEvent(now_), now_ + microseconds(200));
  now_ += microseconds(200);
  EXPECT_TRUE(queue.Ready(now_));
  EXPECT_THAT(TakeAll(), ElementsAre(2));
}

TEST_F(ModelQueueTest, CompleteBatchDoesNotWait) {
  ModelQueue& queue =
      Make({.max_batch_rows = 4,
            .batching = {.max_queue_delay = microseconds(500)}});
  AddRows(6);
  EXPECT_THAT(TakeAll(), ElementsAre(4));
  EXPECT_FALSE(queue.Ready(now_));
}

TEST_F(ModelQueueTest, PreferredSizeDoesNotWait) {
  Make({.max_batch_rows = 16,
        .batching = {.preferred_batch_size = {4, 8},
                     .max_queue_delay = microseconds(500)}});
  AddRows(3);
  EXPECT_THAT(TakeAll(), ElementsAre());
  AddRows(2);
  EXPECT_THAT(TakeAll(), ElementsAre(4));
  now_ += microseconds(500);
  EXPECT_THAT(TakeAll(), ElementsAre(1));
}

TEST_F(ModelQueueTest, RequestThatWouldBeLateDoesNotWaitForCompany) {
  ModelQueue& queue =
      Make({.batching = {.max_queue_delay = milliseconds(500)}});
  queue.cost().Note(1, milliseconds(3));
  New().deadline = now_ + milliseconds(11);
  ASSERT_EQ(Add(requests_[0]), Rejection::kNone);
  EXPECT_FALSE(queue.Ready(now_));
  // Half of the 8 ms to spare.
  EXPECT_EQ(queue.NextEvent(now_), now_ + milliseconds(4));
  EXPECT_TRUE(queue.Ready(now_ + milliseconds(4)));
}

TEST_F(ModelQueueTest, ClosedQueueRefusesAndWaitsForNoCompany) {
  ModelQueue& queue =
      Make({.batching = {.max_queue_delay = milliseconds(500)}});
  AddRows(1);
  queue.Close();
  EXPECT_EQ(Add(New()), Rejection::kClosed);
  EXPECT_THAT(TakeAll(), ElementsAre(1));
}

TEST_F(ModelQueueTest, WholeRequestsAreBatchesOfTheirOwn) {
  Make({.max_batch_rows = 8, .keeps_requests_whole = true});
  AddRows(3);
  AddRows(8);
  EXPECT_THAT(TakeAll(), ElementsAre(3, 8));
}

TEST_F(ModelQueueTest, ExpiredAndCancelledRequestsAreRefused) {
  Make({});
  New().deadline = now_;
  New().cancelled = true;
  EXPECT_EQ(Add(requests_[0]), Rejection::kExpired);
  EXPECT_EQ(Add(requests_[1]), Rejection::kCancelled);
}

// --- Admission by cost: one slot that is busy, a row takes a millisecond ---

class AdmissionTest : public ModelQueueTest {
 protected:
  void Occupy(SchedulerOptions options) {
    Make(options).cost().Note(1, milliseconds(1));
    AddRows(1);
    slot_ = queue_->Take(now_);
  }
  int slot_ = -1;
};

TEST_F(AdmissionTest, RequestThatWouldBeLateIsRefusedWithItsPushback) {
  Occupy({.max_batch_rows = 1});
  AddRows(10);
  New(2).deadline = now_ + milliseconds(11);
  New(2).deadline = now_ + milliseconds(12);
  EXPECT_EQ(Add(requests_[2]), Rejection::kDeadline);
  EXPECT_EQ(requests_[2].retry_pushback, milliseconds(1));
  EXPECT_EQ(Add(requests_[3]), Rejection::kNone);
}

TEST_F(AdmissionTest, SlotsShareWhatIsAhead) {
  Occupy({.slots = 2, .max_batch_rows = 1});
  AddRows(10);
  New(1).deadline = now_ + milliseconds(6);
  EXPECT_EQ(Add(requests_[2]), Rejection::kNone);
}

TEST_F(AdmissionTest, OnlyWhatIsAheadCounts) {
  Occupy({.max_batch_rows = 1,
          .batching = {.priority_levels = 2, .default_priority_level = 2}});
  AddRows(10);
  New(1).deadline = now_ + milliseconds(5);
  EXPECT_EQ(Add(requests_[2]), Rejection::kDeadline);
  requests_[2].priority = 1;
  EXPECT_EQ(Add(requests_[2]), Rejection::kNone);
}

TEST_F(AdmissionTest, RequestThatStartsAtOnceIsNeverRefused) {
  // What was measured may be wrong: only running it tells.
  Make({}).cost().Note(1, std::chrono::seconds(5));
  New().deadline = now_ + milliseconds(1);
  EXPECT_EQ(Add(requests_[0]), Rejection::kNone);
}

TEST_F(AdmissionTest, TimeInTheQueueIsBounded) {
  Occupy({.max_batch_rows = 1, .max_queue_time = milliseconds(20)});
  AddRows(20);
  AddRows(1);
  EXPECT_EQ(Add(New()), Rejection::kQueueTime);
  // Half of what waits.
  EXPECT_EQ(requests_.back().retry_pushback, milliseconds(11));
}

TEST_F(AdmissionTest, FullQueueHasPushback) {
  Occupy({.max_batch_rows = 1, .limits = {.max_requests = 1}});
  AddRows(40);
  EXPECT_EQ(Add(New()), Rejection::kQueueRequests);
  EXPECT_EQ(requests_.back().retry_pushback, milliseconds(20));
}

TEST_F(AdmissionTest, PaceOfTheQueueCountsWhereItIsSlowerThanTheCost) {
  // Other models and the transport take time, too: here a batch of a row, which
  // costs 1 ms, starts every 10 ms.
  Occupy({.max_batch_rows = 1});
  AddRows(100);
  for (int i = 0; i < 20; ++i) {
    now_ += milliseconds(10);
    queue_->Release(slot_, milliseconds(1));
    slot_ = queue_->Take(now_);
  }
  New().deadline = now_ + milliseconds(500);
  EXPECT_EQ(Add(requests_.back()), Rejection::kDeadline);
  New().deadline = now_ + milliseconds(900);
  EXPECT_EQ(Add(requests_.back()), Rejection::kNone);
}

TEST_F(AdmissionTest, OneStallIsNotThePaceOfTheQueue) {
  Occupy({.max_batch_rows = 1, .max_queue_time = milliseconds(1000)});
  AddRows(50);
  for (const milliseconds took : {milliseconds(1), milliseconds(500)}) {
    now_ += took;
    queue_->Release(slot_, took);
    slot_ = queue_->Take(now_);
  }
  EXPECT_EQ(Add(New()), Rejection::kNone);
}

TEST_F(AdmissionTest, PaceIsForgottenWhenTheQueueIsEmpty) {
  Occupy({.max_batch_rows = 1});
  AddRows(2);
  for (int i = 0; i < 2; ++i) {
    now_ += milliseconds(400);
    queue_->Release(slot_, milliseconds(1));
    slot_ = queue_->Take(now_);
  }
  AddRows(5);
  New().deadline = now_ + milliseconds(20);
  EXPECT_EQ(Add(requests_.back()), Rejection::kNone);
}

// --- Fairness and order ---

TEST_F(ModelQueueTest, VirtualTimeIsWhatBatchesTook) {
  ModelQueue& queue = Make({});
  queue.cost().Note(1, microseconds(100));
  AddRows(1);
  const int slot = queue.Take(now_);
  // Charged as expected at first.
  EXPECT_EQ(queue.virtual_time(), microseconds(100));
  queue.Release(slot, microseconds(70));
  EXPECT_EQ(queue.virtual_time(), microseconds(70));
  queue.CatchUp(microseconds(50));
  EXPECT_EQ(queue.virtual_time(), microseconds(70));
  queue.CatchUp(microseconds(90));
  EXPECT_EQ(queue.virtual_time(), microseconds(90));
}

TEST_F(ModelQueueTest, AnswersArePoppedInTheOrderOfArrival) {
  ModelQueue& queue = Make({.batching = {.preserve_ordering = true}});
  AddRows(1);
  AddRows(1);
  requests_[1].progress.answer_ready = true;
  EXPECT_EQ(queue.PopAnswer(), nullptr);
  requests_[0].progress.answer_ready = true;
  EXPECT_EQ(queue.PopAnswer(), &requests_[0]);
  EXPECT_EQ(queue.PopAnswer(), &requests_[1]);
  EXPECT_EQ(queue.PopAnswer(), nullptr);
  AddRows(1);
  requests_[2].progress.answer_ready = true;
  EXPECT_EQ(queue.PopAnswer(), &requests_[2]);
}

TEST_F(ModelQueueTest, DroppedRequestIsOverUnlessAPieceRuns) {
  ModelQueue& queue = Make({.max_batch_rows = 4});
  AddRows(8);
  AddRows(1);
  queue.Take(now_);
  queue.Remove(requests_[0]);
  queue.Remove(requests_[1]);
  EXPECT_FALSE(DropRest(requests_[0], Rejection::kCancelled));
  EXPECT_TRUE(DropRest(requests_[1], Rejection::kExpired));
  EXPECT_EQ(requests_[1].rejection, Rejection::kExpired);
  EXPECT_FALSE(queue.Ready(now_));
}

}  // namespace
}  // namespace relu
