// Rejection: why the scheduler did not run a request to its end, and what its
// client is told.

#ifndef CORE_BATCHING_REJECTION_H_
#define CORE_BATCHING_REJECTION_H_

#include <chrono>
#include <cstddef>

#include "absl/status/status.h"

#include "core/metrics/reject_reason.h"

namespace relu {

enum class Rejection {
  kNone,           // It did, or a row of it has no answer.
  kClosed,         // UNAVAILABLE: the model, or the server, is going.
  kQueueRequests,  // UNAVAILABLE: max_queue_size of the model.
  kQueueTime,      // UNAVAILABLE: what waits ahead of it takes too long.
  kDeadline,       // UNAVAILABLE: it would be late, by measured cost.
  kQueueBytes,     // RESOURCE_EXHAUSTED: bytes that wait for the model.
  kTotalRequests,  // RESOURCE_EXHAUSTED: requests that wait for any model.
  kTotalBytes,     // RESOURCE_EXHAUSTED: bytes that wait for any model.
  kExpired,        // DEADLINE_EXCEEDED
  kCancelled,      // CANCELLED
};

// How the metrics count it.
RejectReason ReasonOf(Rejection rejection);

// The numbers that the texts name.
struct RejectionFacts {
  std::chrono::steady_clock::duration age{0};  // Since the request came.
  std::chrono::milliseconds retry_pushback{0};
  std::chrono::microseconds max_queue_time{0};
  // Those of the model, or for all models together.
  std::size_t max_requests = 0;
  std::size_t max_bytes = 0;
};

// Not for kNone.
absl::Status RejectionStatus(Rejection rejection, const RejectionFacts& facts);

}  // namespace relu

#endif  // CORE_BATCHING_REJECTION_H_
