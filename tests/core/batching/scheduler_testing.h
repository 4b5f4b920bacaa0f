// What the tests of the scheduler share: requests that know their own answers,
// a runner that keeps slots busy for as long as a test wants, a fake clock.

#ifndef TESTS_CORE_BATCHING_SCHEDULER_TESTING_H_
#define TESTS_CORE_BATCHING_SCHEDULER_TESTING_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/base/mutex.h"
#include "core/batching/dispatcher.h"
#include "core/batching/inference_request.h"
#include "core/batching/model_queue.h"
#include "core/batching/scheduler.h"

namespace relu {

using std::chrono::microseconds;

// A request of one int64 input and output. Row i holds 1000 * id + i, and the
// runner below answers it with its negative.
class Call {
 public:
  explicit Call(std::int64_t id, std::int64_t rows = 1)
      : id_(id), input_(static_cast<std::size_t>(rows)), output_(input_) {
    for (std::size_t i = 0; i < input_.size(); ++i) {
      input_[i] = 1000 * id + static_cast<std::int64_t>(i);
    }
    request_.rows = rows;
    request_.inputs = {reinterpret_cast<const std::byte*>(input_.data())};
    request_.outputs = {reinterpret_cast<std::byte*>(output_.data())};
    request_.done = [this](const absl::Status& status) {
      status_ = status;
      ++times_done_;
      if (then_) {
        then_();
      }
    };
  }

  // What `done` does after it has taken its note.
  void Then(std::function<void()> then) { then_ = std::move(then); }

  std::int64_t id() const { return id_; }
  InferenceRequest& request() { return request_; }
  int times_done() const { return times_done_; }
  const absl::Status& status() const { return status_; }

  bool HasOwnAnswers() const {
    return std::ranges::equal(input_, output_, {}, {}, std::negate<>());
  }

 private:
  std::int64_t id_;
  std::vector<std::int64_t> input_;
  std::vector<std::int64_t> output_;
  InferenceRequest request_;
  absl::Status status_ = absl::UnknownError("not done");
  std::atomic<int> times_done_ = 0;
  std::function<void()> then_;
};

inline std::vector<InferenceRequest*> Requests(
    std::initializer_list<Call*> calls) {
  std::vector<InferenceRequest*> requests;
  for (Call* call : calls) {
    requests.push_back(&call->request());
  }
  return requests;
}

inline void Submit(Scheduler& scheduler, std::initializer_list<Call*> calls) {
  scheduler.Submit(Requests(calls));
}

// One slice of a batch, in a form that a test can compare.
struct Piece {
  std::int64_t id;
  std::int64_t first_row;
  std::int64_t rows;
  bool operator==(const Piece&) const = default;
};

struct Batch {
  int slot;
  std::vector<Piece> pieces;
};

// Answers rows, writes down the batches, and keeps slots busy for as long as a
// test wants. Thread-safe.
class FakeRunner {
 public:
  // From now on batches wait, each for one Release().
  void Hold() ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    held_ = true;
  }
  void Release() ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    ++permits_;
    changed_.NotifyAll();
  }
  void ReleaseAll() ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    held_ = false;
    changed_.NotifyAll();
  }

  // Waits until so many batches have started.
  void WaitForBatches(std::size_t count) ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    while (batches_.size() < count) {
      changed_.Wait(mu_);
    }
  }

  // The slice that holds this row will fail.
  void FailAt(std::int64_t id, std::int64_t row, absl::Status status) {
    failing_id_ = id;
    failing_row_ = row;
    failure_ = std::move(status);
  }

  std::vector<Batch> batches() const ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    return batches_;
  }
  std::vector<Piece> pieces(std::size_t batch) const {
    return batches().at(batch).pieces;
  }

  void Run(int slot, std::span<BatchSlice> slices) ABSL_LOCKS_EXCLUDED(mu_) {
    Batch batch{.slot = slot, .pieces = {}};
    for (BatchSlice& slice : slices) {
      batch.pieces.push_back(Answer(slice));
    }
    const MutexLock lock(mu_);
    batches_.push_back(std::move(batch));
    changed_.NotifyAll();
    while (held_ && permits_ == 0) {
      changed_.Wait(mu_);
    }
    permits_ -= held_ ? 1 : 0;
  }

 private:
  Piece Answer(BatchSlice& slice) const {
    const auto* input =
        reinterpret_cast<const std::int64_t*>(slice.request->inputs[0]);
    auto* output = reinterpret_cast<std::int64_t*>(slice.request->outputs[0]);
    const std::int64_t end = slice.first_row + slice.rows;
    for (std::int64_t row = slice.first_row; row < end; ++row) {
      output[row] = -input[row];
    }
    const std::int64_t id = input[0] / 1000;
    if (id == failing_id_ && slice.first_row <= failing_row_ &&
        failing_row_ < end) {
      slice.status = failure_;
    }
    return {id, slice.first_row, slice.rows};
  }

  std::int64_t failing_id_ = -1;
  std::int64_t failing_row_ = 0;
  absl::Status failure_;

  mutable Mutex mu_;
  CondVar changed_;
  std::vector<Batch> batches_ ABSL_GUARDED_BY(mu_);
  bool held_ ABSL_GUARDED_BY(mu_) = false;
  int permits_ ABSL_GUARDED_BY(mu_) = 0;
};

// A scheduler with a fake clock and a fake runner. There are no workers:
// threads that submit run batches.
class SchedulerTest : public ::testing::Test {
 protected:
  using Clock = InferenceRequest::Clock;

  Scheduler& Make(const SchedulerOptions& options) {
    dispatcher_ = std::make_unique<Dispatcher>(
        DispatcherOptions{.now = [this] { return Now(); }});
    scheduler_ = std::make_unique<Scheduler>(
        *dispatcher_, options, [this](int slot, std::span<BatchSlice> batch) {
          runner_.Run(slot, batch);
        });
    return *scheduler_;
  }

  Clock::time_point Now() const {
    return Clock::time_point(microseconds(now_us_.load()));
  }
  void Advance(microseconds time) { now_us_ += time.count(); }

  // Submits on a thread of its own and returns when the batch is running.
  void Occupy(Call& call) {
    const std::size_t batches = runner_.batches().size();
    threads_.emplace_back([this, &call] { Submit(*scheduler_, {&call}); });
    runner_.WaitForBatches(batches + 1);
  }

  // Lets everything run to its end.
  void Finish() {
    runner_.ReleaseAll();
    threads_.clear();
    scheduler_->Drain();
  }

  FakeRunner runner_;
  std::atomic<std::int64_t> now_us_ = 1'000'000;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Scheduler> scheduler_;
  std::vector<std::jthread> threads_;
};

}  // namespace relu

#endif  // TESTS_CORE_BATCHING_SCHEDULER_TESTING_H_
