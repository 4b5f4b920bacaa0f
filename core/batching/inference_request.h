// InferenceRequest: one client's rows on their way through the scheduler.

#ifndef CORE_BATCHING_INFERENCE_REQUEST_H_
#define CORE_BATCHING_INFERENCE_REQUEST_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace relu {

// Filled in by the server's codec. The owner keeps it, and the memory it points
// to, alive and unchanged until `done` is called; after that it may be reused.
struct InferenceRequest {
  using Clock = std::chrono::steady_clock;

  std::int64_t rows = 0;  // 1 or more.
  // In the model's order: row-major values of all rows. No alignment needed.
  std::vector<const std::byte*> inputs;
  // In the model's order: where the results go; nullptr: not wanted.
  std::vector<std::byte*> outputs;
  Clock::time_point deadline = Clock::time_point::max();
  // Set by any thread when the client went away: rows that have not started are
  // then dropped and the request is completed with CANCELLED. Only a hint, so
  // relaxed order is enough: nothing else is published through it.
  std::atomic<bool> cancelled = false;

  // Called exactly once for each time the request is submitted, from any
  // thread, with no lock held. It may submit the request again, or end its
  // life: the scheduler does not touch it any more.
  absl::AnyInvocable<void(const absl::Status&)> done;

  // --- Set by the scheduler, for `done` to read ---
  Clock::time_point queued_at;    // Submit() was called.
  Clock::time_point started_at;   // Its first batch was taken from the queue.
  Clock::time_point finished_at;  // Its last batch was computed.
  std::int64_t largest_batch_rows = 0;  // Of the batches that it was part of.

  // --- The scheduler's own, from Submit() to `done` ---
  // Guarded by the scheduler's mutex, except while a single slot holds the
  // whole request.
  struct Progress {
    InferenceRequest* next = nullptr;  // Behind it in the queue.
    std::int64_t rows_taken = 0;       // Handed to slots, or dropped.
    std::int64_t rows_finished = 0;    // Computed, or dropped.
    absl::Status status;               // The first error.
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
