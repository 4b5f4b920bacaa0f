#include "core/batching/dispatcher.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "tests/core/batching/scheduler_testing.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using Clock = InferenceRequest::Clock;

// Belongs to the dispatcher as long as it lives.
class CountingWorker final : public Dispatcher::Worker {
 public:
  explicit CountingWorker(Dispatcher& dispatcher) : dispatcher_(dispatcher) {
    dispatcher_.AddWorker(*this);
  }
  ~CountingWorker() override { dispatcher_.RemoveWorker(*this); }

  void Wake() override { ++wakes; }
  std::atomic<int> wakes = 0;

 private:
  Dispatcher& dispatcher_;
};

// A dispatcher with a fake clock. Models write their name into log_ for each
// batch, and their batches take the time that they are made with.
class DispatcherTest : public testing::Test {
 protected:
  void MakeDispatcher(DispatcherOptions options) {
    options.now = [this] { return Now(); };
    dispatcher_ = std::make_unique<Dispatcher>(std::move(options));
  }

  std::unique_ptr<Scheduler> MakeModel(char name, milliseconds cost,
                                       SchedulerOptions options = {}) {
    auto model = std::make_unique<Scheduler>(
        *dispatcher_, options,
        [this, name, cost](int, std::span<BatchSlice> batch) {
          log_ += name;
          now_ms_ += cost.count();
          if (during_) {
            std::exchange(during_, nullptr)();
          }
          for (const BatchSlice& slice : batch) {
            EXPECT_GT(slice.rows, 0);
          }
        });
    model->NoteCost(1, cost);
    return model;
  }

  bool Serve(Dispatcher::Worker& worker, Scheduler& model,
             std::initializer_list<Call*> calls) {
    std::vector<InferenceRequest*> requests = Requests(calls);
    for (InferenceRequest* request : requests) {
      request->scheduler = &model;
    }
    return dispatcher_->Serve(worker, requests);
  }
  bool Serve(Dispatcher::Worker& worker) {
    return dispatcher_->Serve(worker, {});
  }

  Clock::time_point Now() const {
    return Clock::time_point(milliseconds(now_ms_.load()));
  }

  std::atomic<std::int64_t> now_ms_ = 1'000'000;
  std::string log_;
  // What happens in the next batch.
  std::function<void()> during_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

// --- Who runs what ---

TEST_F(DispatcherTest, WorkerRunsWhatItBringsAndMaySleep) {
  MakeDispatcher({});
  const auto model = MakeModel('a', milliseconds(0));
  CountingWorker worker(*dispatcher_);
  Call call(1);
  EXPECT_FALSE(Serve(worker, *model, {&call}));
  EXPECT_TRUE(call.status().ok());
  EXPECT_EQ(worker.wakes, 0);
}

// Its client sends it again at once, and no batch ran meanwhile.
TEST_F(DispatcherTest, WhatIsSubmittedWhenARequestIsRefusedRuns) {
  MakeDispatcher({});
  const auto model = MakeModel('a', milliseconds(0));
  CountingWorker worker(*dispatcher_);
  Call again(2);
  Call refused(1);
  refused.request().cancelled = true;
  refused.Then([&] { Submit(*model, {&again}); });
  EXPECT_FALSE(Serve(worker, *model, {&refused}));
  EXPECT_EQ(refused.times_done(), 1);
  EXPECT_TRUE(again.status().ok());
}

TEST_F(DispatcherTest, AWorkerThatServesIsNotRemoved) {
  MakeDispatcher({});
  const auto model = MakeModel('a', milliseconds(0));
  CountingWorker worker(*dispatcher_);
  Call call(1);
  call.Then([&] { dispatcher_->RemoveWorker(worker); });
  EXPECT_DEATH(Serve(worker, *model, {&call}), "kRunning");
}

TEST_F(DispatcherTest, WorkerComesAgainAfterARound) {
  MakeDispatcher({});
  const auto model = MakeModel('a', milliseconds(1), {.max_batch_rows = 1});
  CountingWorker worker(*dispatcher_);
  Call calls[] = {Call(1), Call(2), Call(3)};
  EXPECT_TRUE(Serve(worker, *model, {&calls[0], &calls[1], &calls[2]}));
  EXPECT_EQ(log_, "a");
  EXPECT_TRUE(Serve(worker));
  EXPECT_FALSE(Serve(worker));
  EXPECT_EQ(log_, "aaa");
}

TEST_F(DispatcherTest, ShortBatchesAreRunInOneRound) {
  MakeDispatcher({.round = milliseconds(10)});
  const auto model = MakeModel('a', milliseconds(3), {.max_batch_rows = 1});
  CountingWorker worker(*dispatcher_);
  Call calls[] = {Call(1), Call(2), Call(3), Call(4), Call(5)};
  EXPECT_TRUE(Serve(worker, *model,
                    {&calls[0], &calls[1], &calls[2], &calls[3], &calls[4]}));
  EXPECT_EQ(log_, "aaa");
  EXPECT_FALSE(Serve(worker));
}

TEST_F(DispatcherTest, ModelsTakeTurnsAndArrivalsAreSeenBetweenBatches) {
  MakeDispatcher({});
  const auto flooded = MakeModel('f', milliseconds(4), {.max_batch_rows = 1});
  const auto other = MakeModel('o', milliseconds(1));
  CountingWorker worker(*dispatcher_);
  Call flood(1, 1000);
  Call call(2);
  EXPECT_TRUE(Serve(worker, *flooded, {&flood}));
  EXPECT_TRUE(Serve(worker));
  EXPECT_EQ(log_, "ff");
  EXPECT_TRUE(Serve(worker, *other, {&call}));
  // Not after a thousand batches: it is the next, or the one after it.
  Serve(worker);
  EXPECT_EQ(call.times_done(), 1) << log_;
  EXPECT_LE(log_.find('o'), 3U);
  flooded->Cancel(flood.request());
  Serve(worker);
}

TEST_F(DispatcherTest, FloodedModelsShareTheTimeEvenly) {
  MakeDispatcher({});
  const auto slow = MakeModel('s', milliseconds(5), {.max_batch_rows = 1});
  const auto quick = MakeModel('q', milliseconds(1), {.max_batch_rows = 1});
  CountingWorker worker(*dispatcher_);
  Call many_slow(1, 100);
  Call many_quick(2, 500);
  Serve(worker, *slow, {&many_slow});
  Serve(worker, *quick, {&many_quick});
  while (log_.size() < 122) {
    Serve(worker);
  }
  const auto slow_batches = std::ranges::count(log_, 's');
  const auto quick_batches = std::ranges::count(log_, 'q');
  EXPECT_NEAR(static_cast<double>(slow_batches * 5),
              static_cast<double>(quick_batches), 10)
      << log_;
  while (Serve(worker)) {
  }
  EXPECT_TRUE(many_slow.status().ok() && many_quick.status().ok());
}

// --- Who wakes up ---

TEST_F(DispatcherTest, IdlePathWakesNobody) {
  MakeDispatcher({});
  const auto model = MakeModel('a', milliseconds(100));
  CountingWorker worker(*dispatcher_);
  CountingWorker other(*dispatcher_);
  Call call(1);
  EXPECT_FALSE(Serve(worker, *model, {&call}));
  EXPECT_EQ(worker.wakes + other.wakes, 0);
}

TEST_F(DispatcherTest, WorkBesideALongBatchWakesAnother) {
  MakeDispatcher({});
  const auto model =
      MakeModel('a', milliseconds(1), {.slots = 2, .max_batch_rows = 1});
  CountingWorker worker(*dispatcher_);
  CountingWorker other(*dispatcher_);
  Call first(1);
  Call second(2);
  during_ = [&] {
    EXPECT_EQ(other.wakes, 1);
    EXPECT_FALSE(Serve(other));
  };
  EXPECT_FALSE(Serve(worker, *model, {&first, &second}));
  EXPECT_TRUE(first.status().ok() && second.status().ok());
}

TEST_F(DispatcherTest, ShortWorkIsNotWorthAWake) {
  MakeDispatcher({.round = milliseconds(1000), .wake_cost = milliseconds(50)});
  const auto model =
      MakeModel('a', milliseconds(1), {.slots = 2, .max_batch_rows = 1});
  CountingWorker worker(*dispatcher_);
  CountingWorker other(*dispatcher_);
  Call few(1, 49);
  Call many(2, 51);
  EXPECT_FALSE(Serve(worker, *model, {&few}));
  EXPECT_EQ(other.wakes, 0);
  EXPECT_FALSE(Serve(worker, *model, {&many}));
  EXPECT_EQ(other.wakes, 1);
  Serve(other);
}

TEST_F(DispatcherTest, NobodyIsWokenWithoutAFreeSlot) {
  MakeDispatcher({});
  const auto model =
      MakeModel('a', milliseconds(1), {.slots = 1, .max_batch_rows = 1});
  CountingWorker worker(*dispatcher_);
  CountingWorker other(*dispatcher_);
  Call call(1, 2);
  during_ = [&] { EXPECT_EQ(other.wakes, 0); };
  EXPECT_TRUE(Serve(worker, *model, {&call}));
  EXPECT_FALSE(Serve(worker));
  EXPECT_EQ(other.wakes, 0);
}

TEST_F(DispatcherTest, OnlyOneIsWokenUntilItHasLooked) {
  MakeDispatcher({});
  const auto model =
      MakeModel('a', milliseconds(1), {.slots = 3, .max_batch_rows = 1});
  CountingWorker worker(*dispatcher_);
  CountingWorker others[] = {CountingWorker(*dispatcher_),
                             CountingWorker(*dispatcher_)};
  Call call(1, 4);
  during_ = [&] {
    EXPECT_EQ(others[0].wakes + others[1].wakes, 1);
    Dispatcher::Worker& woken = others[0].wakes == 1 ? others[0] : others[1];
    // It takes a batch, and there is still more: it wakes the next.
    during_ = [&] { EXPECT_EQ(others[0].wakes + others[1].wakes, 2); };
    Serve(woken);
  };
  Serve(worker, *model, {&call});
  for (Dispatcher::Worker* one :
       {static_cast<Dispatcher::Worker*>(&worker),
        static_cast<Dispatcher::Worker*>(&others[0]),
        static_cast<Dispatcher::Worker*>(&others[1])}) {
    while (Serve(*one)) {
    }
  }
  EXPECT_TRUE(call.status().ok());
}

TEST_F(DispatcherTest, ThreadThatIsNoWorkerLeavesTheRestToOne) {
  MakeDispatcher({});
  const auto model =
      MakeModel('a', milliseconds(1), {.slots = 1, .max_batch_rows = 1});
  CountingWorker worker(*dispatcher_);
  Call call(1, 3);
  Submit(*model, {&call});
  EXPECT_EQ(log_, "a");
  EXPECT_EQ(worker.wakes, 1);
  EXPECT_TRUE(Serve(worker));
  EXPECT_FALSE(Serve(worker));
  EXPECT_TRUE(call.status().ok());
  EXPECT_EQ(worker.wakes, 1);
}

TEST_F(DispatcherTest, RemovedWorkerLeavesWhatItWasWokenForToAnother) {
  MakeDispatcher({});
  const auto model =
      MakeModel('a', milliseconds(1), {.slots = 1, .max_batch_rows = 1});
  auto first = std::make_unique<CountingWorker>(*dispatcher_);
  CountingWorker second(*dispatcher_);
  Call call(1, 2);
  Submit(*model, {&call});
  ASSERT_EQ(first->wakes, 1);
  first = nullptr;
  EXPECT_EQ(second.wakes, 1);
  EXPECT_FALSE(Serve(second));
  EXPECT_TRUE(call.status().ok());
}

// --- Time ---

TEST_F(DispatcherTest, RequestIsCompletedWhenItExpiresThoughAllSlotsCompute) {
  MakeDispatcher({});
  const auto model =
      MakeModel('a', milliseconds(0), {.slots = 1, .max_batch_rows = 1});
  CountingWorker worker(*dispatcher_);
  Call running(1);
  Call late(2);
  late.request().deadline = Now() + milliseconds(20);
  during_ = [&] {
    Submit(*model, {&late});
    now_ms_ += 19;
    dispatcher_->Tick();
    EXPECT_EQ(late.times_done(), 0);
    now_ms_ += 1;
    dispatcher_->Tick();
    EXPECT_EQ(late.times_done(), 1);
    EXPECT_EQ(running.times_done(), 0);
  };
  Serve(worker, *model, {&running});
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(late.request().rejection, Rejection::kExpired);
  EXPECT_EQ(log_, "a");
}

TEST_F(DispatcherTest, BatchThatWaitedForCompanyWakesAWorkerWhenItIsDue) {
  MakeDispatcher({});
  const auto model = MakeModel(
      'a', milliseconds(0), {.batching = {.max_queue_delay = milliseconds(5)}});
  CountingWorker worker(*dispatcher_);
  CountingWorker other(*dispatcher_);
  Call first(1);
  Call second(2);
  EXPECT_FALSE(Serve(worker, *model, {&first}));
  now_ms_ += 4;
  EXPECT_FALSE(Serve(worker, *model, {&second}));
  dispatcher_->Tick();
  EXPECT_EQ(worker.wakes + other.wakes, 0);
  now_ms_ += 1;
  dispatcher_->Tick();
  EXPECT_EQ(worker.wakes + other.wakes, 1);
  EXPECT_FALSE(Serve(worker.wakes == 1 ? worker : other));
  EXPECT_TRUE(first.status().ok() && second.status().ok());
  EXPECT_EQ(log_, "a");
}

TEST_F(DispatcherTest, CompleteBatchDoesNotWaitForItsTime) {
  MakeDispatcher({});
  const auto model = MakeModel(
      'a', milliseconds(0),
      {.max_batch_rows = 2, .batching = {.max_queue_delay = milliseconds(5)}});
  CountingWorker worker(*dispatcher_);
  Call first(1);
  Call second(2);
  Serve(worker, *model, {&first});
  EXPECT_EQ(log_, "");
  Serve(worker, *model, {&second});
  EXPECT_EQ(log_, "a");
}

TEST_F(DispatcherTest, WithoutWorkersTheTickRunsWhatIsDue) {
  MakeDispatcher({});
  const auto model = MakeModel(
      'a', milliseconds(0), {.batching = {.max_queue_delay = milliseconds(5)}});
  Call call(1);
  Submit(*model, {&call});
  EXPECT_EQ(call.times_done(), 0);
  now_ms_ += 5;
  dispatcher_->Tick();
  EXPECT_TRUE(call.status().ok());
}

TEST_F(DispatcherTest, CloseRunsWhatWaitsForCompany) {
  MakeDispatcher({});
  const auto model = MakeModel(
      'a', milliseconds(0), {.batching = {.max_queue_delay = milliseconds(5)}});
  CountingWorker worker(*dispatcher_);
  Call call(1);
  EXPECT_FALSE(Serve(worker, *model, {&call}));
  model->Close();
  EXPECT_EQ(worker.wakes, 1);
  EXPECT_FALSE(Serve(worker));
  EXPECT_TRUE(call.status().ok());
}

TEST_F(DispatcherTest, KeepTimeEndsWhatExpires) {
  // The real clock: what it does in the end is certain, when is not.
  Dispatcher dispatcher;
  std::jthread timer([&] { dispatcher.KeepTime(); });
  {
    Scheduler model(dispatcher,
                    {.batching = {.max_queue_delay = std::chrono::hours(1)}},
                    [](int, std::span<BatchSlice>) {});
    const CountingWorker nobody(dispatcher);
    Call call(1);
    call.request().timeout = milliseconds(20);
    // It would start for its deadline's sake, but this worker never comes.
    Submit(model, {&call});
    while (call.times_done() == 0) {
      std::this_thread::yield();
    }
    model.Drain();  // Until `done` has returned.
    EXPECT_EQ(call.status().code(), absl::StatusCode::kDeadlineExceeded);
  }
  dispatcher.StopTime();
}

// --- Order, limits, quiet ---

TEST_F(DispatcherTest, AnswersKeepTheOrderOfRequests) {
  MakeDispatcher({});
  const auto model = MakeModel('a', milliseconds(1),
                               {.slots = 2,
                                .max_batch_rows = 1,
                                .batching = {.preserve_ordering = true}});
  CountingWorker worker(*dispatcher_);
  CountingWorker other(*dispatcher_);
  Call calls[] = {Call(1), Call(2), Call(3)};
  std::vector<std::int64_t> order;
  for (Call& call : calls) {
    call.Then([&order, &call] { order.push_back(call.id()); });
  }
  during_ = [&] {
    // The second is ready before the first.
    Serve(other);
    EXPECT_TRUE(order.empty());
    model->Cancel(calls[2].request());
    EXPECT_TRUE(order.empty());
  };
  Serve(worker, *model, {&calls[0], &calls[1], &calls[2]});
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
  EXPECT_EQ(calls[2].status().code(), absl::StatusCode::kCancelled);
  Serve(other);
}

TEST_F(DispatcherTest, TotalsAreBoundedOverModels) {
  MakeDispatcher({.limits = {.max_requests = 4}});
  const auto first = MakeModel('a', milliseconds(0));
  const auto second = MakeModel('b', milliseconds(0));
  CountingWorker worker(*dispatcher_);
  Call running(1);
  Call calls[] = {Call(2), Call(3), Call(4), Call(5)};
  during_ = [&] {
    Submit(*first, {&calls[0], &calls[1], &calls[2]});
    EXPECT_EQ(calls[2].status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(calls[2].request().rejection, Rejection::kTotalRequests);
    EXPECT_GE(calls[2].request().retry_pushback, milliseconds(1));
    Submit(*second, {&calls[3]});
    EXPECT_EQ(calls[3].times_done(), 0);
  };
  Serve(worker, *first, {&running});
  EXPECT_TRUE(calls[3].status().ok());
  EXPECT_TRUE(calls[1].status().ok());
}

TEST_F(DispatcherTest, QuietWhileOnlyOneBatchRunsAndNothingWaits) {
  MakeDispatcher({});
  const auto first = MakeModel('a', milliseconds(0));
  const auto second = MakeModel('b', milliseconds(0));
  CountingWorker worker(*dispatcher_);
  CountingWorker other(*dispatcher_);
  Call call(1);
  Call beside(2);
  Call waiting(3);
  EXPECT_TRUE(dispatcher_->quiet());
  during_ = [&] {
    EXPECT_TRUE(dispatcher_->quiet());
    during_ = [&] { EXPECT_FALSE(dispatcher_->quiet()); };
    Serve(other, *second, {&beside});
    EXPECT_TRUE(dispatcher_->quiet());
    Submit(*first, {&waiting});
    EXPECT_FALSE(dispatcher_->quiet());
  };
  Serve(worker, *first, {&call});
  EXPECT_TRUE(dispatcher_->quiet());
  EXPECT_TRUE(waiting.status().ok());
}

}  // namespace
}  // namespace relu
