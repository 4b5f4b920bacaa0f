// AccessLog: lines of the log about single inferences: some of all, and some of
// those that failed.

#ifndef SERVER_ACCESS_LOG_H_
#define SERVER_ACCESS_LOG_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"

#include "core/base/mutex.h"
#include "core/metrics/reject_reason.h"

namespace relu {

struct AccessLogOptions {
  double share = 0;           // Of all inferences; 0: none, 1: each.
  int errors_per_second = 0;  // Failed ones that are logged whatever the share.
  // The clock; tests put their own.
  std::function<std::chrono::steady_clock::time_point()> now =
      &std::chrono::steady_clock::now;
};

// What the client says of a request beside its message: to be found again.
// Borrowed; both may be anything, or empty.
struct RequestIds {
  std::string_view protocol;     // A word of ours: "grpc", "stream", "http".
  std::string_view request_id;   // x-request-id
  std::string_view traceparent;  // Of W3C.
};

// One inference. Borrows its texts.
struct AccessEntry {
  RequestIds ids;
  std::string_view model;  // As the client named it, and the same below.
  std::string_view version;
  std::string_view id;  // Of the message.
  absl::StatusCode code = absl::StatusCode::kOk;
  RejectReason reason = RejectReason::kNone;
  std::size_t request_bytes = 0;
  // Of an answer: 0 else.
  std::int64_t rows = 0;
  std::int64_t batch_rows = 0;  // Of the largest batch it was part of.
  std::chrono::nanoseconds queue{0};
  std::chrono::nanoseconds compute{0};
  // From its arrival to its answer.
  std::chrono::nanoseconds total{0};
};

// Thread-safe.
class AccessLog {
 public:
  // What changes while the server runs.
  struct Sampling {
    double share = 0;
    std::uint32_t rate = 0;  // What TraceSetting was told; 0: nothing yet.
  };

  explicit AccessLog(const AccessLogOptions& options)
      : options_(options), share_(options.share) {}

  const AccessLogOptions& options() const { return options_; }
  Sampling sampling() const ABSL_LOCKS_EXCLUDED(mu_);
  void SetSampling(const Sampling& sampling) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether an inference that ended with `code` gets a line.
  bool Wants(absl::StatusCode code) ABSL_LOCKS_EXCLUDED(mu_) {
    const double share = share_.load(std::memory_order_relaxed);
    return (share > 0 && TakeSample(share)) ||
           (code != absl::StatusCode::kOk && options_.errors_per_second > 0 &&
            TakeError());
  }

  // Writes the line. Tokens are not part of it.
  static void Write(const AccessEntry& entry);

 private:
  bool TakeSample(double share);
  bool TakeError() ABSL_LOCKS_EXCLUDED(mu_);

  const AccessLogOptions options_;
  // Both alone: nothing is published through them.
  std::atomic<double> share_;
  std::atomic<std::uint64_t> inferences_ = 0;
  mutable Mutex mu_;
  std::uint32_t rate_ ABSL_GUARDED_BY(mu_) = 0;
  // The second that is counted, and the lines of failures in it.
  std::chrono::steady_clock::time_point second_ ABSL_GUARDED_BY(mu_);
  int errors_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace relu

#endif  // SERVER_ACCESS_LOG_H_
