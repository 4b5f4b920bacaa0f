#include "core/metrics/reject_reason.h"

#include <array>
#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace relu {

std::string_view RejectReasonName(RejectReason reason) {
  static constexpr std::array<std::string_view, kRejectReasons> kNames = {
      "none",           "bad_request",    "nonfinite",       "out_of_domain",
      "not_found",      "not_ready",      "access",          "message_bytes",
      "draining",       "queue_requests", "queue_bytes",     "queue_time",
      "total_requests", "total_bytes",    "in_flight_bytes", "deadline",
      "expired",        "cancelled"};
  return kNames[static_cast<std::size_t>(reason)];
}

RejectReason ReasonOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
      return RejectReason::kBadRequest;
    case absl::StatusCode::kNotFound:
      return RejectReason::kNotFound;
    case absl::StatusCode::kUnavailable:
      return RejectReason::kNotReady;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return RejectReason::kAccess;
    case absl::StatusCode::kResourceExhausted:
      return RejectReason::kMessageBytes;
    case absl::StatusCode::kDeadlineExceeded:
      return RejectReason::kExpired;
    case absl::StatusCode::kCancelled:
      return RejectReason::kCancelled;
    default:
      return RejectReason::kNone;
  }
}

}  // namespace relu
