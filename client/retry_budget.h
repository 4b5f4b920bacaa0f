// RetryBudget: how much may be sent again, so that retries do not add to an
// overload. The rule is that of gRPC's retryThrottling.

#ifndef CLIENT_RETRY_BUDGET_H_
#define CLIENT_RETRY_BUDGET_H_

#include "absl/base/thread_annotations.h"

#include "core/base/mutex.h"

namespace relu {

// Thread-safe.
class RetryBudget {
 public:
  RetryBudget(double max_tokens, double ratio)
      : max_tokens_(max_tokens), ratio_(ratio), tokens_(max_tokens) {}

  // A send has failed in a way that allows another.
  void OnFailure() ABSL_LOCKS_EXCLUDED(mu_);
  // A send has been answered, with whatever status.
  void OnSuccess() ABSL_LOCKS_EXCLUDED(mu_);
  // More than half of the tokens are there.
  bool Allows() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const double max_tokens_;
  const double ratio_;  // Of a token, which a good send gives back.
  mutable Mutex mu_;
  double tokens_ ABSL_GUARDED_BY(mu_);
};

}  // namespace relu

#endif  // CLIENT_RETRY_BUDGET_H_
