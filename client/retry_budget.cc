#include "client/retry_budget.h"

#include <algorithm>

#include "core/base/mutex.h"

namespace relu {

void RetryBudget::OnFailure() {
  const MutexLock lock(mu_);
  tokens_ = std::max(tokens_ - 1, 0.0);
}

void RetryBudget::OnSuccess() {
  const MutexLock lock(mu_);
  tokens_ = std::min(tokens_ + ratio_, max_tokens_);
}

bool RetryBudget::Allows() const {
  const MutexLock lock(mu_);
  return tokens_ > max_tokens_ / 2;
}

}  // namespace relu
