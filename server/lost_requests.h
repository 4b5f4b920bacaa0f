// LostRequests: counts the inferences that a shutdown did not wait for.

#ifndef SERVER_LOST_REQUESTS_H_
#define SERVER_LOST_REQUESTS_H_

#include <chrono>

#include "absl/base/thread_annotations.h"

#include "core/base/mutex.h"

namespace relu {

// Thread-safe.
class LostRequests {
 public:
  using Clock = std::chrono::steady_clock;

  // Requests in flight at `time` are cancelled by the server.
  void CancelAt(Clock::time_point time) ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    cancel_at_ = time;
  }

  // A request in flight was cancelled, by its client or by the server.
  void NoteCancelled(Clock::time_point now) ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    count_ += now >= cancel_at_ ? 1 : 0;
  }

  int count() const ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    return count_;
  }

 private:
  mutable Mutex mu_;
  Clock::time_point cancel_at_ ABSL_GUARDED_BY(mu_) = Clock::time_point::max();
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace relu

#endif  // SERVER_LOST_REQUESTS_H_
