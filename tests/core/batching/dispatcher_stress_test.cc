// Many threads, several models, all features at once: every request is
// completed exactly once, and nothing is left lying. A wake that is lost hangs
// the test.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/base/mutex.h"
#include "core/batching/dispatcher.h"
#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "tests/core/batching/scheduler_testing.h"

namespace relu {
namespace {

using std::chrono::microseconds;

// A thread that sleeps until something arrives or it is woken, as those of the
// server do.
class ThreadWorker final : public Dispatcher::Worker {
 public:
  explicit ThreadWorker(Dispatcher& dispatcher) : dispatcher_(dispatcher) {
    dispatcher_.AddWorker(*this);
    thread_ = std::thread([this] { Loop(); });
  }

  ~ThreadWorker() override {
    {
      const MutexLock lock(mu_);
      stop_ = true;
    }
    changed_.NotifyAll();
    thread_.join();
    dispatcher_.RemoveWorker(*this);
  }

  void Wake() override {
    {
      const MutexLock lock(mu_);
      woken_ = true;
    }
    changed_.NotifyAll();
  }

  void Arrive(InferenceRequest& request) {
    {
      const MutexLock lock(mu_);
      arrived_.push_back(&request);
    }
    changed_.NotifyAll();
  }

 private:
  void Loop() {
    std::vector<InferenceRequest*> requests;
    bool more = false;
    while (true) {
      {
        const MutexLock lock(mu_);
        while (!more && !woken_ && arrived_.empty() && !stop_) {
          changed_.Wait(mu_);
        }
        if (stop_ && arrived_.empty() && !more) {
          return;
        }
        woken_ = false;
        requests.assign(arrived_.begin(), arrived_.end());
        arrived_.clear();
      }
      more = dispatcher_.Serve(*this, requests);
    }
  }

  Dispatcher& dispatcher_;
  Mutex mu_;
  CondVar changed_;
  std::vector<InferenceRequest*> arrived_ ABSL_GUARDED_BY(mu_);
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

// Models of every kind.
std::vector<SchedulerOptions> AllKinds() {
  SchedulerOptions priorities{.slots = 2, .max_batch_rows = 8};
  priorities.batching = {.priority_levels = 3, .default_priority_level = 2};
  priorities.batching.default_queue_policy = {
      .timeout_action = QueuePolicy::TimeoutAction::kDelay,
      .default_timeout = microseconds(300)};
  return {{.slots = 3, .max_batch_rows = 4},
          {.slots = 1,
           .max_batch_rows = 8,
           .limits = {.max_requests = 50},
           .batching = {.max_queue_delay = microseconds(200)}},
          {.slots = 2,
           .max_batch_rows = 2,
           .batching = {.preserve_ordering = true}},
          priorities};
}

void Compute(std::span<BatchSlice> batch) {
  for (const BatchSlice& slice : batch) {
    const auto* input =
        reinterpret_cast<const std::int64_t*>(slice.request->inputs[0]);
    auto* output = reinterpret_cast<std::int64_t*>(slice.request->outputs[0]);
    for (std::int64_t i = 0; i < slice.rows; ++i) {
      output[slice.first_row + i] = -input[slice.first_row + i];
    }
  }
  if (batch.size() % 3 == 0) {
    std::this_thread::yield();
  }
}

// Sends requests from one thread, to workers and by itself, and cancels some.
void Send(std::span<const std::unique_ptr<Scheduler>> models,
          std::span<const std::unique_ptr<ThreadWorker>> workers,
          std::span<std::unique_ptr<Call>> calls, unsigned seed) {
  std::mt19937 random(seed);
  for (const std::unique_ptr<Call>& call : calls) {
    InferenceRequest& request = call->request();
    Scheduler& model = *models[random() % models.size()];
    request.priority = random() % 5;
    if (random() % 4 == 0) {
      request.timeout = microseconds(random() % 2000);
    }
    if (random() % 4 == 0) {
      Submit(model, {call.get()});
    } else {
      request.scheduler = &model;
      workers[random() % workers.size()]->Arrive(request);
    }
    if (random() % 16 == 0) {
      model.Cancel(request);
    }
    if (random() % 256 == 0) {
      std::this_thread::sleep_for(microseconds(500));
    }
  }
}

TEST(DispatcherStressTest, EveryRequestIsDoneExactlyOnce) {
  constexpr unsigned kSenders = 3;
  constexpr int kCallsPerSender = 3000;
  Dispatcher dispatcher(
      {.round = microseconds(5), .wake_cost = microseconds(1)});
  std::thread timer([&] { dispatcher.KeepTime(); });
  std::vector<std::unique_ptr<Scheduler>> models;
  for (const SchedulerOptions& options : AllKinds()) {
    models.push_back(std::make_unique<Scheduler>(
        dispatcher, options,
        [](int, std::span<BatchSlice> batch) { Compute(batch); }));
  }
  std::vector<std::unique_ptr<ThreadWorker>> workers;
  for (int i = 0; i < 3; ++i) {
    workers.push_back(std::make_unique<ThreadWorker>(dispatcher));
  }
  std::mt19937 random(20240613);
  std::vector<std::vector<std::unique_ptr<Call>>> calls(kSenders);
  std::int64_t id = 0;
  for (auto& own : calls) {
    for (int i = 0; i < kCallsPerSender; ++i) {
      own.push_back(std::make_unique<Call>(
          ++id, 1 + static_cast<std::int64_t>(random() % 12)));
    }
  }

  std::vector<std::thread> senders;
  for (unsigned i = 0; i < kSenders; ++i) {
    senders.emplace_back([&, i] { Send(models, workers, calls[i], i); });
  }
  for (std::thread& sender : senders) {
    sender.join();
  }
  std::size_t ok = 0;
  for (const auto& own : calls) {
    for (const std::unique_ptr<Call>& call : own) {
      while (call->times_done() == 0) {
        std::this_thread::yield();
      }
      ASSERT_EQ(call->times_done(), 1);
    }
  }
  workers.clear();
  models.clear();
  dispatcher.StopTime();
  timer.join();
  for (const auto& own : calls) {
    for (const std::unique_ptr<Call>& call : own) {
      if (call->status().ok()) {
        ++ok;
        ASSERT_TRUE(call->HasOwnAnswers()) << call->id();
      } else {
        ASSERT_NE(call->request().rejection, Rejection::kNone)
            << call->id() << ": " << call->status();
      }
    }
  }
  EXPECT_GT(ok, calls.size() * kCallsPerSender / 10);
}

// Whoever cancels looks at a request that another thread completes.
TEST(DispatcherStressTest, RefusedRequestsMayBeCancelled) {
  constexpr std::size_t kCalls = 3000;
  Dispatcher dispatcher;
  Scheduler model(dispatcher, {},
                  [](int, std::span<BatchSlice> batch) { Compute(batch); });
  model.Close();
  std::deque<Call> calls;
  for (std::size_t i = 0; i < kCalls; ++i) {
    calls.emplace_back(static_cast<std::int64_t>(i));
  }
  std::thread canceller([&] {
    for (Call& call : calls) {
      while (call.times_done() == 0) {
        model.Cancel(call.request());
      }
    }
  });
  for (Call& call : calls) {
    Submit(model, {&call});
  }
  canceller.join();
  for (Call& call : calls) {
    ASSERT_EQ(call.times_done(), 1);
    ASSERT_NE(call.request().rejection, Rejection::kNone);
  }
}

}  // namespace
}  // namespace relu
