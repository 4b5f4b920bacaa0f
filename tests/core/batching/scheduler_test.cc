#include "core/batching/scheduler.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/inference_request.h"
#include "tests/core/batching/scheduler_testing.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST_F(SchedulerTest, SubmitRunsRequestOnCallingThreadWhenSlotIsFree) {
  Scheduler& scheduler = Make({});
  Call call(7, 2);
  std::thread::id thread;
  call.Then([&thread] { thread = std::this_thread::get_id(); });

  Submit(scheduler, {&call});

  EXPECT_EQ(call.times_done(), 1);
  EXPECT_TRUE(call.status().ok()) << call.status();
  EXPECT_TRUE(call.HasOwnAnswers());
  EXPECT_EQ(thread, std::this_thread::get_id());
}

TEST_F(SchedulerTest, RequestsThatArriveTogetherAreOneBatch) {
  Scheduler& scheduler = Make({});
  Call a(1, 2);
  Call b(2, 1);

  Submit(scheduler, {&a, &b});

  ASSERT_EQ(runner_.batches().size(), 1U);
  EXPECT_THAT(runner_.pieces(0), ElementsAre(Piece{1, 0, 2}, Piece{2, 0, 1}));
  EXPECT_EQ(a.request().largest_batch_rows, 3);
}

TEST_F(SchedulerTest, RequestsThatArriveWhileSlotsAreBusyAreOneBatch) {
  Scheduler& scheduler = Make({.slots = 1});
  Call first(1);
  Call second(2);
  Call third(3, 2);
  runner_.Hold();
  Occupy(first);

  Submit(scheduler, {&second});
  Submit(scheduler, {&third});

  EXPECT_EQ(scheduler.queue_size(), 2U);
  EXPECT_EQ(second.times_done(), 0);
  Finish();
  ASSERT_EQ(runner_.batches().size(), 2U);
  EXPECT_THAT(runner_.pieces(1), ElementsAre(Piece{2, 0, 1}, Piece{3, 0, 2}));
  EXPECT_TRUE(second.HasOwnAnswers());
  EXPECT_TRUE(third.HasOwnAnswers());
}

TEST_F(SchedulerTest, EachSlotRunsItsOwnBatch) {
  Scheduler& scheduler = Make({.slots = 2});
  Call first(1);
  Call second(2);
  Call third(3);
  runner_.Hold();

  Occupy(first);
  Occupy(second);
  Submit(scheduler, {&third});

  EXPECT_EQ(scheduler.queue_size(), 1U);
  Finish();
  const std::vector<Batch> batches = runner_.batches();
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(batches[0].slot, 0);
  EXPECT_EQ(batches[1].slot, 1);
  EXPECT_EQ(third.times_done(), 1);
}

TEST_F(SchedulerTest, LargeRequestIsSplitAndJoined) {
  Scheduler& scheduler = Make({.max_batch_rows = 4});
  Call call(1, 10);

  Submit(scheduler, {&call});

  ASSERT_EQ(runner_.batches().size(), 3U);
  EXPECT_THAT(runner_.pieces(0), ElementsAre(Piece{1, 0, 4}));
  EXPECT_THAT(runner_.pieces(1), ElementsAre(Piece{1, 4, 4}));
  EXPECT_THAT(runner_.pieces(2), ElementsAre(Piece{1, 8, 2}));
  EXPECT_EQ(call.times_done(), 1);
  EXPECT_TRUE(call.status().ok()) << call.status();
  EXPECT_TRUE(call.HasOwnAnswers());
  EXPECT_EQ(call.request().largest_batch_rows, 4);
}

TEST_F(SchedulerTest, BatchesAreFilledInOrderOfArrival) {
  Scheduler& scheduler = Make({.max_batch_rows = 4});
  Call a(1, 3);
  Call b(2, 3);
  Call c(3, 1);

  Submit(scheduler, {&a, &b, &c});

  ASSERT_EQ(runner_.batches().size(), 2U);
  EXPECT_THAT(runner_.pieces(0), ElementsAre(Piece{1, 0, 3}, Piece{2, 0, 1}));
  EXPECT_THAT(runner_.pieces(1), ElementsAre(Piece{2, 1, 2}, Piece{3, 0, 1}));
  EXPECT_TRUE(b.HasOwnAnswers());
}

TEST_F(SchedulerTest, RequestIsDoneAsSoonAsItsOwnLastPieceIs) {
  Scheduler& scheduler = Make({.max_batch_rows = 4});
  Call a(1, 3);
  Call b(2, 3);
  bool b_was_done = true;
  a.Then([&] { b_was_done = b.times_done() > 0; });

  Submit(scheduler, {&a, &b});

  EXPECT_FALSE(b_was_done);
  EXPECT_EQ(b.times_done(), 1);
}

TEST_F(SchedulerTest, PiecesOfOneRequestRunOnSeveralSlotsAtOnce) {
  Make({.slots = 2, .max_batch_rows = 4});
  Call large(1, 8);
  Call small(2);
  runner_.Hold();

  Occupy(large);
  Occupy(small);  // Its thread takes the head of the queue first.

  const std::vector<Batch> batches = runner_.batches();
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_THAT(batches[0].pieces, ElementsAre(Piece{1, 0, 4}));
  EXPECT_THAT(batches[1].pieces, ElementsAre(Piece{1, 4, 4}));
  EXPECT_NE(batches[0].slot, batches[1].slot);
  EXPECT_EQ(large.times_done(), 0);
  Finish();
  EXPECT_EQ(large.times_done(), 1);
  EXPECT_TRUE(large.HasOwnAnswers());
  EXPECT_EQ(small.times_done(), 1);
}

TEST_F(SchedulerTest, TimesOfRequestAreStamped) {
  Scheduler& scheduler = Make({});
  Call first(1);
  Call second(2);
  runner_.Hold();
  Occupy(first);
  Advance(microseconds(10));
  Submit(scheduler, {&second});
  Advance(microseconds(20));
  runner_.Release();
  runner_.WaitForBatches(2);
  Advance(microseconds(40));
  Finish();

  const InferenceRequest& request = second.request();
  EXPECT_EQ(request.started_at - request.queued_at, microseconds(20));
  EXPECT_EQ(request.finished_at - request.started_at, microseconds(40));
}

TEST_F(SchedulerTest, DoneMaySubmitAgainAndDoesNotNest) {
  Scheduler& scheduler = Make({.slots = 4});
  Call again(1);
  Call other(2);
  int depth = 0;
  int greatest_depth = 0;
  again.Then([&] {
    greatest_depth = std::max(greatest_depth, ++depth);
    if (again.times_done() < 20'000) {
      Submit(scheduler, {&again});
    }
    --depth;
  });
  bool other_waited = false;
  other.Then([&] { other_waited = again.times_done() > 1; });

  Submit(scheduler, {&again, &other});

  EXPECT_EQ(again.times_done(), 20'000);
  EXPECT_EQ(greatest_depth, 1);
  EXPECT_FALSE(other_waited);
}

TEST_F(SchedulerTest, DoneMayEndTheLifeOfItsRequest) {
  Scheduler& scheduler = Make({.max_batch_rows = 2});
  auto first = std::make_unique<Call>(1, 3);
  auto second = std::make_unique<Call>(2, 1);
  first->Then([&first] { first.reset(); });
  second->Then([&second] { second.reset(); });

  Submit(scheduler, {first.get(), second.get()});

  EXPECT_EQ(first, nullptr);
  EXPECT_EQ(second, nullptr);
}

TEST_F(SchedulerTest, RequestMayBeSubmittedAgainAfterFailure) {
  Scheduler& scheduler = Make({});
  Call call(1);
  scheduler.Cancel(call.request());
  Submit(scheduler, {&call});
  ASSERT_EQ(call.status().code(), absl::StatusCode::kCancelled);

  call.request().cancelled = false;
  Submit(scheduler, {&call});

  EXPECT_EQ(call.times_done(), 2);
  EXPECT_TRUE(call.status().ok()) << call.status();
  EXPECT_TRUE(call.HasOwnAnswers());
}

TEST_F(SchedulerTest, SubmitOfNothingDoesNothing) {
  Scheduler& scheduler = Make({});

  scheduler.Submit({});

  EXPECT_TRUE(runner_.batches().empty());
}

// What one thread of the test below submits, in groups of 1 to 4.
void SubmitAll(Scheduler& scheduler, std::span<std::unique_ptr<Call>> calls,
               unsigned seed) {
  std::mt19937 random(seed);
  std::vector<InferenceRequest*> group;
  for (const std::unique_ptr<Call>& call : calls) {
    group.push_back(&call->request());
    if (random() % 4 == 0) {
      scheduler.Submit(group);
      group.clear();
    }
    if (random() % 16 == 0) {
      scheduler.Cancel(call->request());
    }
  }
  scheduler.Submit(group);
}

TEST_F(SchedulerTest, ManyThreadsGetEachRequestDoneExactlyOnce) {
  constexpr unsigned kSubmitters = 4;
  constexpr int kCallsPerThread = 2000;
  Scheduler& scheduler =
      Make({.slots = 3, .max_batch_rows = 8, .limits = {.max_requests = 100}});
  std::mt19937 random(20240611);
  std::vector<std::vector<std::unique_ptr<Call>>> calls(kSubmitters);
  std::int64_t id = 0;
  for (auto& own : calls) {
    for (int i = 0; i < kCallsPerThread; ++i) {
      own.push_back(std::make_unique<Call>(
          ++id, 1 + static_cast<std::int64_t>(random() % 20)));
    }
  }

  for (unsigned thread = 0; thread < kSubmitters; ++thread) {
    threads_.emplace_back([&scheduler, &own = calls[thread], thread] {
      SubmitAll(scheduler, own, thread);
    });
  }
  Finish();

  for (const auto& own : calls) {
    for (const std::unique_ptr<Call>& call : own) {
      ASSERT_EQ(call->times_done(), 1) << call->id();
      const absl::StatusCode code = call->status().code();
      ASSERT_TRUE(code == absl::StatusCode::kOk
                      ? call->HasOwnAnswers()
                      : code == absl::StatusCode::kCancelled ||
                            code == absl::StatusCode::kUnavailable)
          << call->id() << ": " << call->status();
    }
  }
  for (const Batch& batch : runner_.batches()) {
    std::int64_t rows = 0;
    for (const Piece& piece : batch.pieces) {
      rows += piece.rows;
    }
    ASSERT_LE(rows, 8);
  }
}

TEST_F(SchedulerTest, RequestsThatAreKeptWholeAreBatchesOfTheirOwn) {
  Scheduler& scheduler =
      Make({.max_batch_rows = 8, .keeps_requests_whole = true});
  Call first(1, 3);
  Call second(2, 3);
  Call third(3, 8);

  Submit(scheduler, {&first, &second, &third});

  std::vector<std::int64_t> sizes;
  for (const auto& batch : runner_.batches()) {
    sizes.push_back(batch.pieces.at(0).rows);
    EXPECT_EQ(batch.pieces.size(), 1U);
  }
  EXPECT_THAT(sizes, ElementsAre(3, 3, 8));
  EXPECT_TRUE(third.HasOwnAnswers());
}

}  // namespace
}  // namespace relu
