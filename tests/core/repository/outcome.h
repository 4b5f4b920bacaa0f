// Deferred and Outcome: wait for a callback with a result. Unlike a promise
// they may go while the callback is still on its way out.

#ifndef TESTS_CORE_REPOSITORY_OUTCOME_H_
#define TESTS_CORE_REPOSITORY_OUTCOME_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/mutex.h"

namespace relu {

template <typename Result>
class Awaited {
 public:
  // To be called once, by any thread.
  std::function<void(Result)> done() {
    return [state = state_](Result result) {
      const std::shared_ptr<State> keep = state;
      const MutexLock lock(keep->mu);
      keep->result = std::move(result);
      keep->changed.NotifyAll();
    };
  }

  Result Wait() {
    const MutexLock lock(state_->mu);
    while (!state_->result.has_value()) {
      state_->changed.Wait(state_->mu);
    }
    return *state_->result;
  }

 private:
  struct State {
    Mutex mu;
    CondVar changed;
    std::optional<Result> result ABSL_GUARDED_BY(mu);
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

using Outcome = Awaited<absl::Status>;
template <typename T>
using Deferred = Awaited<absl::StatusOr<T>>;

}  // namespace relu

#endif  // TESTS_CORE_REPOSITORY_OUTCOME_H_
