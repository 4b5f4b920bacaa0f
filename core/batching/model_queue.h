// ModelQueue: what the dispatcher knows of one model: what waits, whether and
// how large a batch can start, its execution slots, and its share of the time.

#ifndef CORE_BATCHING_MODEL_QUEUE_H_
#define CORE_BATCHING_MODEL_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/batching/batch_cost.h"
#include "core/batching/batching_options.h"
#include "core/batching/inference_request.h"
#include "core/batching/request_queue.h"

namespace relu {

struct SchedulerOptions {
  // Batches that may run at the same time.
  int slots = 1;
  // Rows of one batch. A larger request is split and joined again.
  std::int64_t max_batch_rows = 64;
  // True: a batch is one request, whole; none has more than max_batch_rows.
  // For models whose rows depend on each other.
  bool keeps_requests_whole = false;
  QueueLimits limits = {};
  // A request before which more than this would run, by measured cost, is
  // refused: it bounds for how long an overload is felt after its end.
  std::chrono::microseconds max_queue_time = std::chrono::seconds(1);
  BatchingOptions batching = {};
};

// Computes a batch on slot 0 <= slot < slots; calls with different slots run at
// the same time. Rows that cannot be answered get their slice's status.
using BatchRun = std::function<void(int slot, std::span<BatchSlice> batch)>;

// Thread-compatible: the dispatcher's mutex guards it. Only batch() of a slot
// belongs to the thread that holds the slot.
class ModelQueue {
 public:
  using Clock = InferenceRequest::Clock;

  ModelQueue(const SchedulerOptions& options, BatchRun run);
  ModelQueue(const ModelQueue&) = delete;
  ModelQueue& operator=(const ModelQueue&) = delete;

  const SchedulerOptions& options() const { return options_; }
  const RequestQueue& waiting() const { return waiting_; }
  BatchCost& cost() { return cost_; }
  const BatchCost& cost() const { return cost_; }

  // --- Arrival ---

  // Whether `request` may wait here, where up to `threads` threads run batches.
  // Prepares its progress; if it may not, sets its pushback.
  Rejection Admit(InferenceRequest& request, Clock::time_point now,
                  int threads) const;
  // When a request that finds no room should come again.
  std::chrono::milliseconds PushbackWhenFull(int threads) const;
  // After Admit().
  void Add(InferenceRequest& request);

  // --- While it waits ---

  // `request` leaves; see DropRest().
  void Remove(InferenceRequest& request);
  InferenceRequest* PopExpired(Clock::time_point now);

  // Whether a batch can start: a slot is free, and requests wait that need not
  // wait for company.
  bool Ready(Clock::time_point now) const;
  // When something happens by itself: a request expires, or has waited for
  // company for long enough. Clock::time_point::max() if nothing does.
  Clock::time_point NextEvent(Clock::time_point now) const;
  // What the next batch will take at most, by measured cost.
  Clock::duration NextCost() const;

  // Refuses requests from now on; those that wait need no company.
  void Close() { closed_ = true; }

  // --- Batches ---

  // Takes a slot and fills its batch from the queue. Ready() is true.
  int Take(Clock::time_point now);
  // For who holds the slot.
  std::span<BatchSlice> batch(int slot) {
    return slots_[static_cast<std::size_t>(slot)].batch;
  }
  void Run(int slot) { run_(slot, batch(slot)); }
  // What Take() expected the batch to take.
  Clock::duration ExpectedCost(int slot) const {
    return slots_[static_cast<std::size_t>(slot)].expected_cost;
  }
  // The batch took `cost`, and the slot is free again.
  void Release(int slot, Clock::duration cost);
  int busy_slots() const { return busy_slots_; }

  // --- Answers in order, with preserve_ordering ---

  // The oldest request that was added and not yet popped, if its answer is
  // ready; else nullptr.
  InferenceRequest* PopAnswer();

  // --- Fairness ---

  // The time that batches of this model took, as if it had never been idle
  // while others were served.
  Clock::duration virtual_time() const { return virtual_time_; }
  // Requests wait again: time that was not used is not saved up.
  void CatchUp(Clock::duration virtual_time);

  // --- The dispatcher's notes ---

  // Threads that will still touch this object: they hold a slot, or complete a
  // request that was dropped.
  int holds = 0;
  // A thread is giving out answers in order.
  bool answering = false;
  // What ActiveQueues counted of waiting(), and where it has listed it.
  std::size_t counted_requests = 0;
  std::size_t counted_bytes = 0;
  std::size_t active_position = 0;

 private:
  // What one batch works on. Kept, so that its memory is taken once.
  struct Slot {
    std::vector<BatchSlice> batch;
    std::int64_t rows = 0;
    Clock::duration expected_cost{0};
    bool busy = false;
  };

  // When the rows that wait need to wait for company no longer.
  Clock::time_point CompanyDeadline() const;
  // Rows that make a batch complete: it then waits for no more.
  std::int64_t CompleteRows() const;
  std::int64_t ChooseRows(Clock::time_point now);
  // How long `rows` rows take, shared by `threads` threads.
  Clock::duration WaitFor(std::int64_t rows, int threads) const;
  void MeasurePace(Clock::time_point now);
  // The time until the next request comes says nothing about the pace.
  void ForgetPaceIfEmpty();

  const SchedulerOptions options_;
  const BatchRun run_;
  RequestQueue waiting_;
  BatchCost cost_;
  std::vector<Slot> slots_;
  int busy_slots_ = 0;
  InferenceRequest* first_answer_ = nullptr;
  InferenceRequest* last_answer_ = nullptr;
  bool closed_ = false;
  Clock::duration virtual_time_{0};

  // How fast the queue moves while it is never empty: with all that other
  // models and the transport take. 0: it was empty a moment ago.
  double seconds_per_row_ = 0;
  Clock::time_point last_take_;
  std::int64_t last_take_rows_ = 0;  // 0: the queue was empty then.
};

// Drops the rows of `request` that no slot has taken. True if none is running:
// the request is then to be completed.
bool DropRest(InferenceRequest& request, Rejection why);

}  // namespace relu

#endif  // CORE_BATCHING_MODEL_QUEUE_H_
