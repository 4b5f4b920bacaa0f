#include "core/batching/rejection.h"

#include <chrono>

#include "absl/status/status.h"

#include "core/base/check.h"
#include "core/metrics/reject_reason.h"
#include "fmt/format.h"

// The texts begin as Triton's do where it has one: clients compare them.

namespace relu {
namespace {

double Milliseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

RejectReason ReasonOf(Rejection rejection) {
  switch (rejection) {
    case Rejection::kNone:
      return RejectReason::kNone;
    case Rejection::kClosed:
      return RejectReason::kDraining;
    case Rejection::kQueueRequests:
      return RejectReason::kQueueRequests;
    case Rejection::kQueueTime:
      return RejectReason::kQueueTime;
    case Rejection::kDeadline:
      return RejectReason::kDeadline;
    case Rejection::kQueueBytes:
      return RejectReason::kQueueBytes;
    case Rejection::kTotalRequests:
      return RejectReason::kTotalRequests;
    case Rejection::kTotalBytes:
      return RejectReason::kTotalBytes;
    case Rejection::kExpired:
      return RejectReason::kExpired;
    case Rejection::kCancelled:
      return RejectReason::kCancelled;
  }
  CHECK(false);
}

absl::Status RejectionStatus(Rejection rejection, const RejectionFacts& facts) {
  switch (rejection) {
    case Rejection::kNone:
      break;
    case Rejection::kClosed:
      return absl::UnavailableError(
          "server is shutting down, or the model is being unloaded: it accepts "
          "no more requests");
    case Rejection::kQueueRequests:
      return absl::UnavailableError(fmt::format(
          "Exceeds maximum queue size: {} requests wait", facts.max_requests));
    case Rejection::kQueueTime:
      return absl::UnavailableError(fmt::format(
          "the requests ahead of it take longer than {} ms: try again in {} ms",
          Milliseconds(facts.max_queue_time), facts.retry_pushback.count()));
    case Rejection::kDeadline:
      return absl::UnavailableError(fmt::format(
          "the deadline cannot be met: by measured cost the answer would be "
          "about {} ms late",
          facts.retry_pushback.count()));
    case Rejection::kQueueBytes:
      return absl::ResourceExhaustedError(
          fmt::format("Exceeds maximum queue size: {} bytes may wait for a "
                      "model",
                      facts.max_bytes));
    case Rejection::kTotalRequests:
      return absl::ResourceExhaustedError(
          fmt::format("the server is overloaded: of all models together {} "
                      "requests may wait",
                      facts.max_requests));
    case Rejection::kTotalBytes:
      return absl::ResourceExhaustedError(
          fmt::format("the server is overloaded: of all models together {} "
                      "bytes may wait",
                      facts.max_bytes));
    case Rejection::kExpired:
      return absl::DeadlineExceededError(fmt::format(
          "Request timeout expired before all rows were run, {:.3f} ms after "
          "the request arrived",
          Milliseconds(facts.age)));
    case Rejection::kCancelled:
      return absl::CancelledError(
          fmt::format("the request was cancelled before all its rows were run, "
                      "{:.3f} ms after it arrived",
                      Milliseconds(facts.age)));
  }
  CHECK(false);
}

}  // namespace relu
