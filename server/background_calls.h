// BackgroundCalls: RPCs that compute for long wait here for threads of their
// own, so that they hold up none of those that serve.

#ifndef SERVER_BACKGROUND_CALLS_H_
#define SERVER_BACKGROUND_CALLS_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"

#include "core/base/in_flight_bytes.h"
#include "core/base/mutex.h"
#include "server/rpc_table.h"

namespace relu {

// Thread-safe.
class BackgroundCalls {
 public:
  // Calls that may wait: of any, the last is still answered in seconds.
  static constexpr std::size_t kMaxWaiting = 64;

  // Starts the threads. `in_flight`, where requests are counted until they are
  // answered, outlives the object; nullptr: nowhere.
  BackgroundCalls(int threads, InFlightBytes* in_flight);

  // Ends the threads, after the calls that run. Those that wait are answered
  // with UNAVAILABLE.
  ~BackgroundCalls();

  BackgroundCalls(const BackgroundCalls&) = delete;
  BackgroundCalls& operator=(const BackgroundCalls&) = delete;

  // Gives the answer of `handler` to `request` to `answer`, as Rpc::deferred
  // does: in the order of the calls, one on each thread. What `handler` needs
  // outlives the object. Errors, beside those of `handler`:
  //   RESOURCE_EXHAUSTED  kMaxWaiting calls wait, or the bytes do not fit
  //   DEADLINE_EXCEEDED   the deadline came before its turn
  //   CANCELLED           the client left before its turn
  Rpc::Cancel Run(const Rpc::Handler& handler, std::string_view request,
                  const Rpc::Caller& caller, Rpc::Answer answer)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Call;

  // Answers those whose deadline has passed, if as many wait as may.
  void EndExpired() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Enqueue(std::shared_ptr<Call> call) ABSL_LOCKS_EXCLUDED(mu_);
  void Cancel(const std::shared_ptr<Call>& call) ABSL_LOCKS_EXCLUDED(mu_);
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for a call; nullptr: there will be none.
  std::shared_ptr<Call> Next() ABSL_LOCKS_EXCLUDED(mu_);

  InFlightBytes* const in_flight_;
  Mutex mu_;
  CondVar changed_;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<std::shared_ptr<Call>> waiting_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> threads_;
};

}  // namespace relu

#endif  // SERVER_BACKGROUND_CALLS_H_
