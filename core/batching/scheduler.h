// Scheduler: joins the requests to one model into batches and runs them on the
// threads that bring them. It batches what has arrived and never waits for
// more: batches grow by themselves with load, and an idle server adds no delay.

#ifndef CORE_BATCHING_SCHEDULER_H_
#define CORE_BATCHING_SCHEDULER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"

#include "core/base/mutex.h"
#include "core/batching/inference_request.h"

namespace relu {

struct SchedulerOptions {
  // Batches that may run at the same time.
  int slots = 1;
  // Rows of one batch. A larger request is split and joined again.
  std::int64_t max_batch_rows = 64;
  // True: a batch is one request, whole; none has more than max_batch_rows.
  // For models whose rows depend on each other.
  bool keeps_requests_whole = false;
  // Requests that may wait, 1 or more; beyond it they are refused with
  // UNAVAILABLE, as Triton does, so that a client may retry elsewhere.
  std::size_t max_queue_requests = 4096;
  // The clock; tests put their own. Called with the scheduler's lock held too.
  std::function<std::chrono::steady_clock::time_point()> now =
      &std::chrono::steady_clock::now;
};

// Thread-safe.
class Scheduler {
 public:
  // Computes a batch on slot 0 <= slot < slots; calls with different slots run
  // at the same time. Rows that cannot be answered get their slice's status.
  using Runner = std::function<void(int slot, std::span<BatchSlice> batch)>;

  Scheduler(const SchedulerOptions& options, Runner runner);

  // All requests must be complete: Close() and Drain() first.
  ~Scheduler();

  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Takes requests that arrived together. Each is completed exactly once, from
  // this call or from another thread's. If a slot is free, this thread runs
  // batches until the queue is empty; else the requests wait and the threads
  // that hold the slots take them. The queue is first-in first-out; a request
  // that does not fit the rest of a batch is split, and its pieces may run on
  // several slots at once. Completed with an error instead:
  //   UNAVAILABLE        the queue is full, or Close() was called
  //   DEADLINE_EXCEEDED  the deadline passed before all rows were started
  //   CANCELLED          it was cancelled before all rows were started
  //   what the runner says of one of its slices; others are not affected
  void Submit(std::span<InferenceRequest* const> requests)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Refuses requests from now on; those accepted before still run.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

  // Waits until no request is queued or running, and every `done` of those has
  // returned. Not from within a `done`: it would wait for itself.
  void Drain() ABSL_LOCKS_EXCLUDED(mu_);

  // Whether at most one slot is in use and nothing waits.
  bool quiet() const ABSL_LOCKS_EXCLUDED(mu_);

  // Requests that wait for a slot, those that are partly taken included.
  std::size_t queue_size() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // First-in first-out, linked through the requests: no memory of its own.
  struct RequestList {
    void Push(InferenceRequest& request);
    InferenceRequest& Pop();

    InferenceRequest* head = nullptr;
    InferenceRequest* tail = nullptr;
    std::size_t size = 0;
  };

  // What one batch works on. Kept, so that its memory is taken once.
  struct Slot {
    std::vector<BatchSlice> batch;
    // Ended before all rows were started; progress.status says why.
    RequestList dropped;
  };

  static constexpr int kNoSlot = -1;

  // Takes a free slot for this thread, or returns kNoSlot.
  int AcquireSlot() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReleaseSlot(int index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Fills the slot from the queue, which is not empty.
  void TakeBatch(int index, InferenceRequest::Clock::time_point now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Runs what the slot holds, and then batches until the queue is empty.
  void Serve(int index) ABSL_LOCKS_EXCLUDED(mu_);

  // Notes that rows of a split request are computed. True if they were the
  // last: the request is then the caller's to complete.
  bool FinishPiece(const BatchSlice& piece) ABSL_LOCKS_EXCLUDED(mu_);

  const SchedulerOptions options_;
  const Runner runner_;
  // By slot; each belongs to the thread that holds the slot.
  std::vector<Slot> slots_;

  mutable Mutex mu_;
  CondVar idle_;  // The queue is empty and all slots are free.
  RequestList queue_ ABSL_GUARDED_BY(mu_);
  // The thread that holds each slot; none for a free one.
  std::vector<std::thread::id> holders_ ABSL_GUARDED_BY(mu_);
  int busy_slots_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace relu

#endif  // CORE_BATCHING_SCHEDULER_H_
