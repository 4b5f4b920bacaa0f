// InferenceRequest: one client's rows on their way through the scheduler.

#ifndef CORE_BATCHING_INFERENCE_REQUEST_H_
#define CORE_BATCHING_INFERENCE_REQUEST_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

#include "core/batching/rejection.h"
#include "core/batching/shared_values.h"
#include "core/metrics/compute_times.h"

namespace relu {

class RequestList;
class Scheduler;

// Filled in by the server's codec. The owner keeps it, and the memory it points
// to, alive and unchanged until `done` is called; after that it may be reused.
struct InferenceRequest {
  using Clock = std::chrono::steady_clock;

  // Of its model. Set by whoever submits it.
  Scheduler* scheduler = nullptr;
  std::int64_t rows = 0;  // 1 or more.
  // What it and its answer hold in memory, for the limits of the queues.
  std::size_t bytes = 0;
  // In the model's order: row-major values of all rows. No alignment needed.
  std::vector<const std::byte*> inputs;
  // In the model's order, or empty: what of the inputs all rows have in common.
  // `inputs` then hold the rest of each row.
  std::vector<SharedValues> shared = {};
  // In the model's order: where the results go; nullptr: not wanted.
  std::vector<std::byte*> outputs;
  // The client waits no longer than this.
  Clock::time_point deadline = Clock::time_point::max();
  // The request's parameters of these names. 0: not given. What they do depends
  // on the queue policy of the model.
  std::chrono::microseconds timeout{0};
  std::uint64_t priority = 0;
  // Set by Scheduler::Cancel(), from any thread, perhaps before the request is
  // submitted. Only a hint, so relaxed order is enough: nothing else is
  // published through it.
  std::atomic<bool> cancelled = false;

  // Called exactly once for each time the request is submitted, from any
  // thread, with no lock held. It may submit the request again, or end its
  // life: the scheduler does not touch it any more.
  absl::AnyInvocable<void(const absl::Status&)> done;

  // --- Set by the scheduler, for `done` to read ---
  Clock::time_point queued_at;    // It was submitted.
  Clock::time_point started_at;   // Its first batch was taken from the queue.
  Clock::time_point finished_at;  // Its last batch was computed.
  std::int64_t largest_batch_rows = 0;  // Of the batches that it was part of.
  ComputeTimeSum compute;               // Of the same; the runner adds to it.
  Rejection rejection = Rejection::kNone;
  // After which time it may be worth to send it again; 0: it is not, or nobody
  // knows.
  std::chrono::milliseconds retry_pushback{0};

  // --- The scheduler's own, from Submit() to `done` ---
  // Guarded by the dispatcher's mutex, except while a single slot holds the
  // whole request.
  struct Progress {
    static constexpr std::size_t kNotInHeap =
        std::numeric_limits<std::size_t>::max();

    RequestList* list = nullptr;  // That holds it, while rows of it wait.
    InferenceRequest* next = nullptr;
    InferenceRequest* previous = nullptr;
    std::size_t level = 0;  // Of priority; 0 is the first.
    // When it is dropped, when it gives way to others, and the earlier of them;
    // and where it stands in ExpiryHeap.
    Clock::time_point drop_at = Clock::time_point::max();
    Clock::time_point delay_from = Clock::time_point::max();
    Clock::time_point expiry = Clock::time_point::max();
    std::size_t heap_position = kNotInHeap;
    std::int64_t rows_taken = 0;     // Handed to slots, or dropped.
    std::int64_t rows_finished = 0;  // Computed, or dropped.
    absl::Status status;             // The first error.
    // Of the answers that are kept in order: the one that came next, and
    // whether this one is ready.
    InferenceRequest* next_answer = nullptr;
    bool answer_ready = false;
  };
  Progress progress;
};

// Some consecutive rows of a request, as part of a batch.
struct BatchSlice {
  InferenceRequest* request = nullptr;
  std::int64_t first_row = 0;
  std::int64_t rows = 0;
  // Set by the runner if these rows have no answer; the request then fails.
  absl::Status status;
};

}  // namespace relu

#endif  // CORE_BATCHING_INFERENCE_REQUEST_H_
