// Requests that the scheduler does not run to their end: refused, expired,
// cancelled and failed ones; and how it closes.

#include <string>
#include <thread>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "tests/core/batching/scheduler_testing.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using SchedulerRefusalTest = SchedulerTest;

TEST_F(SchedulerRefusalTest, SubmitBeyondQueueLimitIsUnavailable) {
  Scheduler& scheduler = Make({.limits = {.max_requests = 2}});
  Call running(1);
  Call a(2);
  Call b(3);
  Call refused(4);
  runner_.Hold();
  Occupy(running);
  Submit(scheduler, {&a, &b});

  Submit(scheduler, {&refused});

  EXPECT_EQ(refused.times_done(), 1);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(refused.status().message(),
            "Exceeds maximum queue size: 2 requests wait");
  EXPECT_EQ(scheduler.queue_size(), 2U);
  Finish();
  EXPECT_TRUE(a.status().ok() && b.status().ok());
  EXPECT_EQ(refused.times_done(), 1);
}

TEST_F(SchedulerRefusalTest, QueueTakesRequestsAgainWhenItHasShrunk) {
  Scheduler& scheduler = Make({.limits = {.max_requests = 1}});
  Call running(1);
  Call waiting(2);
  Call later(3);
  runner_.Hold();
  Occupy(running);
  Submit(scheduler, {&waiting});
  runner_.Release();
  runner_.WaitForBatches(2);

  Submit(scheduler, {&later});

  EXPECT_EQ(scheduler.queue_size(), 1U);
  Finish();
  EXPECT_TRUE(later.status().ok()) << later.status();
}

TEST_F(SchedulerRefusalTest, SubmitAfterCloseIsUnavailable) {
  Scheduler& scheduler = Make({});
  Call call(1);
  scheduler.Close();

  Submit(scheduler, {&call});

  EXPECT_EQ(call.times_done(), 1);
  EXPECT_EQ(call.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(call.status().message()),
              StartsWith("server is shutting down"));
  EXPECT_EQ(call.request().rejection, Rejection::kClosed);
  EXPECT_TRUE(runner_.batches().empty());
}

TEST_F(SchedulerRefusalTest, CloseLetsAcceptedRequestsRun) {
  Scheduler& scheduler = Make({});
  Call running(1);
  Call waiting(2);
  runner_.Hold();
  Occupy(running);
  Submit(scheduler, {&waiting});

  scheduler.Close();
  Finish();

  EXPECT_TRUE(running.status().ok()) << running.status();
  EXPECT_TRUE(waiting.status().ok()) << waiting.status();
}

TEST_F(SchedulerRefusalTest, DrainReturnsAfterLastDone) {
  Scheduler& scheduler = Make({});
  Call running(1);
  Call waiting(2);
  runner_.Hold();
  Occupy(running);
  Submit(scheduler, {&waiting});
  int done_at_drain = 0;
  std::jthread drainer([&] {
    scheduler.Drain();
    done_at_drain = running.times_done() + waiting.times_done();
  });

  runner_.ReleaseAll();
  drainer.join();

  EXPECT_EQ(done_at_drain, 2);
}

TEST_F(SchedulerRefusalTest, DrainOfIdleSchedulerReturns) {
  Scheduler& scheduler = Make({.slots = 3});

  scheduler.Drain();

  EXPECT_EQ(scheduler.queue_size(), 0U);
}

TEST_F(SchedulerRefusalTest, RequestWhoseDeadlinePassesInQueueIsNotRun) {
  Scheduler& scheduler = Make({});
  Call running(1);
  Call late(2);
  Call patient(3);
  runner_.Hold();
  Occupy(running);
  late.request().deadline = Now() + microseconds(1500);
  patient.request().deadline = Now() + microseconds(1501);
  Submit(scheduler, {&late, &patient});

  Advance(microseconds(1500));
  Finish();

  EXPECT_EQ(late.times_done(), 1);
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(late.status().message()),
              StartsWith("Request timeout expired"));
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("1.500 ms"));
  EXPECT_TRUE(patient.status().ok()) << patient.status();
  EXPECT_THAT(runner_.pieces(1), ElementsAre(Piece{3, 0, 1}));
}

TEST_F(SchedulerRefusalTest, RequestThatArrivesExpiredIsNotRun) {
  Scheduler& scheduler = Make({});
  Call call(1);
  call.request().deadline = Now();

  Submit(scheduler, {&call});

  EXPECT_EQ(call.times_done(), 1);
  EXPECT_EQ(call.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(runner_.batches().empty());
}

TEST_F(SchedulerRefusalTest, RequestCancelledInQueueIsNotRun) {
  Scheduler& scheduler = Make({});
  Call running(1);
  Call cancelled(2);
  runner_.Hold();
  Occupy(running);
  Submit(scheduler, {&cancelled});

  scheduler.Cancel(cancelled.request());

  EXPECT_EQ(cancelled.times_done(), 1);
  EXPECT_EQ(scheduler.queue_size(), 0U);
  Finish();
  EXPECT_EQ(cancelled.times_done(), 1);
  EXPECT_EQ(cancelled.status().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(std::string(cancelled.status().message()),
              HasSubstr("cancelled before all its rows were run"));
  EXPECT_EQ(runner_.batches().size(), 1U);
}

TEST_F(SchedulerRefusalTest, RequestCancelledBetweenPiecesIsDoneOnce) {
  Scheduler& scheduler = Make({.max_batch_rows = 4});
  Call call(1, 12);
  runner_.Hold();
  Occupy(call);

  scheduler.Cancel(call.request());
  EXPECT_EQ(call.times_done(), 0);
  Finish();

  EXPECT_EQ(call.times_done(), 1);
  EXPECT_EQ(call.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(runner_.batches().size(), 1U);
}

TEST_F(SchedulerRefusalTest, DroppedRequestWaitsForItsRunningPiece) {
  Scheduler& scheduler = Make({.slots = 2, .max_batch_rows = 4});
  Call large(1, 12);
  Call small(2);
  runner_.Hold();
  Occupy(large);

  scheduler.Cancel(large.request());
  Occupy(small);

  EXPECT_THAT(runner_.pieces(1), ElementsAre(Piece{2, 0, 1}));
  EXPECT_EQ(scheduler.queue_size(), 0U);
  EXPECT_EQ(large.times_done(), 0);
  Finish();
  EXPECT_EQ(large.times_done(), 1);
  EXPECT_EQ(large.status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(small.status().ok()) << small.status();
}

TEST_F(SchedulerRefusalTest, FailedSliceFailsOnlyItsRequest) {
  Scheduler& scheduler = Make({});
  Call good(1, 2);
  Call bad(2, 2);
  Call other(3, 2);
  runner_.FailAt(2, 1, absl::InvalidArgumentError("row 1: no such index"));

  Submit(scheduler, {&good, &bad, &other});

  EXPECT_EQ(bad.status(), absl::InvalidArgumentError("row 1: no such index"));
  EXPECT_TRUE(good.status().ok() && good.HasOwnAnswers());
  EXPECT_TRUE(other.status().ok() && other.HasOwnAnswers());
}

TEST_F(SchedulerRefusalTest, FailedPieceFailsRequestAndDropsItsRest) {
  Scheduler& scheduler = Make({.max_batch_rows = 4});
  Call bad(1, 12);
  Call good(2, 2);
  runner_.FailAt(1, 5, absl::InvalidArgumentError("row 5: no such index"));

  Submit(scheduler, {&bad, &good});

  EXPECT_EQ(bad.times_done(), 1);
  EXPECT_EQ(bad.status(), absl::InvalidArgumentError("row 5: no such index"));
  EXPECT_TRUE(good.status().ok() && good.HasOwnAnswers());
  ASSERT_EQ(runner_.batches().size(), 3U);
  EXPECT_THAT(runner_.pieces(2), ElementsAre(Piece{2, 0, 2}));
}

TEST_F(SchedulerRefusalTest, FailedLastPieceFailsRequest) {
  Scheduler& scheduler = Make({.max_batch_rows = 4});
  Call bad(1, 6);
  runner_.FailAt(1, 5, absl::InvalidArgumentError("row 5: no such index"));

  Submit(scheduler, {&bad});

  EXPECT_EQ(bad.times_done(), 1);
  EXPECT_EQ(bad.status(), absl::InvalidArgumentError("row 5: no such index"));
}

}  // namespace
}  // namespace relu
