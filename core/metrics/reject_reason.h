// RejectReason: why a request was turned away, or was not waited for: the label
// of relu_rejects_total.

#ifndef CORE_METRICS_REJECT_REASON_H_
#define CORE_METRICS_REJECT_REASON_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace relu {

enum class RejectReason : std::uint8_t {
  kNone,           // It was answered, or failed by a fault of the server.
  kBadRequest,     // What was sent does not fit the model, or the protocol.
  kNonfinite,      // NaN or infinity in it, or in its answer.
  kOutOfDomain,    // A value that is not in the domain of the model.
  kNotFound,       // There is no such model or version.
  kNotReady,       // There is, and it is not served now.
  kAccess,         // No token, or one that may not.
  kMessageBytes,   // The request, or its answer, is larger than one may be.
  kDraining,       // The server or the model is going.
  kQueueRequests,  // As many wait for the model as may.
  kQueueBytes,     // As many bytes wait for the model as may.
  kQueueTime,      // What waits ahead of it takes too long.
  kTotalRequests,  // As many wait for all models as may.
  kTotalBytes,     // As many bytes wait for all models as may.
  kInFlightBytes,  // The server holds as many bytes as it may.
  kDeadline,       // It would be late, by measured cost.
  kExpired,        // It waited until it was late.
  kCancelled,      // Its client left.
};
inline constexpr std::size_t kRejectReasons = 18;

// How many requests were rejected for each.
using RejectCounts = std::array<std::uint64_t, kRejectReasons>;

// The label, such as "queue_requests".
std::string_view RejectReasonName(RejectReason reason);

// The reason of a request that failed with `code` outside of the scheduler.
RejectReason ReasonOf(absl::StatusCode code);

}  // namespace relu

#endif  // CORE_METRICS_REJECT_REASON_H_
