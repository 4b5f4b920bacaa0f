#include "core/batching/scheduler.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/check.h"
#include "core/base/mutex.h"
#include "core/batching/inference_request.h"
#include "fmt/format.h"

namespace relu {
namespace {

using Clock = InferenceRequest::Clock;

// Why rows that are still in the queue must not run; OK if they may. An error
// of ours has no text yet: Complete() writes it, with no lock held.
absl::Status WhyDrop(const InferenceRequest& request, Clock::time_point now) {
  if (!request.progress.status.ok()) {
    return request.progress.status;  // A piece that ran has failed.
  }
  if (request.cancelled.load(std::memory_order_relaxed)) {
    return {absl::StatusCode::kCancelled, ""};
  }
  if (now >= request.deadline) {
    return {absl::StatusCode::kDeadlineExceeded, ""};
  }
  return absl::OkStatus();
}

// Drops the rows that are still in the queue. True if none is running: the
// request is then complete.
bool DropRest(InferenceRequest& request, absl::Status why) {
  InferenceRequest::Progress& progress = request.progress;
  progress.status = std::move(why);
  progress.rows_finished += request.rows - progress.rows_taken;
  progress.rows_taken = request.rows;
  return progress.rows_finished == request.rows;
}

// True for an error of WhyDrop() that has no text yet.
bool IsDrop(const absl::Status& status) {
  return status.message().empty() &&
         (status.code() == absl::StatusCode::kCancelled ||
          status.code() == absl::StatusCode::kDeadlineExceeded);
}

absl::Status WithText(absl::StatusCode code, Clock::duration age) {
  const std::chrono::duration<double, std::milli> milliseconds = age;
  if (code == absl::StatusCode::kCancelled) {
    return absl::CancelledError(
        fmt::format("the request was cancelled before all its rows were run, "
                    "{:.3f} ms after it arrived",
                    milliseconds.count()));
  }
  return absl::DeadlineExceededError(
      fmt::format("Request timeout expired before all rows were run, {:.3f} ms "
                  "after the request arrived",
                  milliseconds.count()));
}

// The request is gone afterwards.
void Complete(InferenceRequest& request, Clock::time_point now) {
  request.finished_at = now;
  // Moved out: `done` may submit the request again, which resets it.
  absl::Status status = std::move(request.progress.status);
  if (IsDrop(status)) {
    status = WithText(status.code(), now - request.queued_at);
  }
  request.done(status);
}

}  // namespace

void Scheduler::RequestList::Push(InferenceRequest& request) {
  request.progress.next = nullptr;
  (head == nullptr ? head : tail->progress.next) = &request;
  tail = &request;
  ++size;
}

InferenceRequest& Scheduler::RequestList::Pop() {
  InferenceRequest& first = *head;
  head = first.progress.next;
  --size;
  return first;
}

Scheduler::Scheduler(const SchedulerOptions& options, Runner runner)
    : options_(options),
      runner_(std::move(runner)),
      slots_(static_cast<std::size_t>(options.slots)),
      holders_(slots_.size()) {
  CHECK(options.slots >= 1);
  CHECK(options.max_batch_rows >= 1);
}

Scheduler::~Scheduler() {
  const MutexLock lock(mu_);
  CHECK(queue_.head == nullptr && busy_slots_ == 0);
}

// No request is forgotten, because whenever mu_ is free:
//
//   the queue is empty, or some thread holds a slot and will look at the queue
//   again before it lets go of the slot.
//
// Submit() adds requests and looks for a free slot under one lock. If it finds
// one, this thread holds it from then on. If not, other threads (or this one,
// further up the stack: see AcquireSlot) hold all slots. Serve() releases a
// slot only under the lock under which it saw the queue empty.
void Scheduler::Submit(std::span<InferenceRequest* const> requests) {
  const Clock::time_point now = options_.now();
  RequestList refused;
  bool closed = false;
  int slot = kNoSlot;
  {
    const MutexLock lock(mu_);
    closed = closed_;
    for (InferenceRequest* request : requests) {
      CHECK(!options_.keeps_requests_whole ||
            request->rows <= options_.max_batch_rows);
      request->progress = {};
      request->queued_at = now;
      request->largest_batch_rows = 0;
      const bool accepted =
          !closed_ && queue_.size < options_.max_queue_requests;
      (accepted ? queue_ : refused).Push(*request);
    }
    if (queue_.head != nullptr) {
      slot = AcquireSlot();
    }
    if (slot != kNoSlot) {
      TakeBatch(slot, now);
    }
  }
  while (refused.head != nullptr) {
    InferenceRequest& request = refused.Pop();
    request.progress.status = absl::UnavailableError(
        closed ? "server is shutting down: it accepts no more requests"
               : fmt::format("Exceeds maximum queue size: {} requests wait",
                             options_.max_queue_requests));
    Complete(request, now);
  }
  if (slot != kNoSlot) {
    Serve(slot);
  }
}

void Scheduler::Close() {
  const MutexLock lock(mu_);
  closed_ = true;
}

void Scheduler::Drain() {
  const MutexLock lock(mu_);
  while (queue_.head != nullptr || busy_slots_ > 0) {
    idle_.Wait(mu_);
  }
}

bool Scheduler::quiet() const {
  const MutexLock lock(mu_);
  return busy_slots_ <= 1 && queue_.size == 0;
}

std::size_t Scheduler::queue_size() const {
  const MutexLock lock(mu_);
  return queue_.size;
}

int Scheduler::AcquireSlot() {
  int free_slot = kNoSlot;
  const std::thread::id self = std::this_thread::get_id();
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    if (holders_[i] == self) {
      // Submit() from a `done`: the call that runs it looks at the queue next.
      // A second slot would put that batch ahead of its other `done`s.
      return kNoSlot;
    }
    if (free_slot == kNoSlot && holders_[i] == std::thread::id()) {
      free_slot = static_cast<int>(i);
    }
  }
  if (free_slot != kNoSlot) {
    holders_[static_cast<std::size_t>(free_slot)] = self;
    ++busy_slots_;
  }
  return free_slot;
}

void Scheduler::ReleaseSlot(int index) {
  holders_[static_cast<std::size_t>(index)] = std::thread::id();
  --busy_slots_;
  if (busy_slots_ == 0) {
    // Under the lock: whoever waits may destroy this object once it is free.
    idle_.NotifyAll();
  }
}

void Scheduler::TakeBatch(int index, Clock::time_point now) {
  Slot& slot = slots_[static_cast<std::size_t>(index)];
  slot.batch.clear();
  std::int64_t batch_rows = 0;
  while (queue_.head != nullptr && batch_rows < options_.max_batch_rows) {
    InferenceRequest& request = *queue_.head;
    InferenceRequest::Progress& progress = request.progress;
    if (absl::Status why = WhyDrop(request, now); !why.ok()) {
      queue_.Pop();
      if (DropRest(request, std::move(why))) {
        slot.dropped.Push(request);
      }
      continue;
    }
    if (progress.rows_taken == 0) {
      request.started_at = now;
    }
    const std::int64_t rows = std::min(request.rows - progress.rows_taken,
                                       options_.max_batch_rows - batch_rows);
    slot.batch.push_back({.request = &request,
                          .first_row = progress.rows_taken,
                          .rows = rows,
                          .status = absl::OkStatus()});
    progress.rows_taken += rows;
    batch_rows += rows;
    if (progress.rows_taken == request.rows) {
      queue_.Pop();
    }
    if (options_.keeps_requests_whole) {
      break;
    }
  }
  for (const BatchSlice& slice : slot.batch) {
    slice.request->largest_batch_rows =
        std::max(slice.request->largest_batch_rows, batch_rows);
  }
}

void Scheduler::Serve(int index) {
  Slot& slot = slots_[static_cast<std::size_t>(index)];
  while (true) {
    if (!slot.batch.empty()) {
      runner_(index, slot.batch);
    }
    const Clock::time_point finished = options_.now();
    for (BatchSlice& slice : slot.batch) {
      InferenceRequest& request = *slice.request;
      if (slice.rows == request.rows) {
        request.progress.status = std::move(slice.status);
        Complete(request, finished);
      } else if (FinishPiece(slice)) {
        Complete(request, finished);
      }
    }
    while (slot.dropped.head != nullptr) {
      Complete(slot.dropped.Pop(), finished);
    }
    const MutexLock lock(mu_);
    if (queue_.head == nullptr) {
      ReleaseSlot(index);
      return;
    }
    TakeBatch(index, options_.now());
  }
}

bool Scheduler::FinishPiece(const BatchSlice& piece) {
  InferenceRequest& request = *piece.request;
  const MutexLock lock(mu_);
  InferenceRequest::Progress& progress = request.progress;
  progress.status.Update(piece.status);
  progress.rows_finished += piece.rows;
  return progress.rows_finished == request.rows;
}

}  // namespace relu
