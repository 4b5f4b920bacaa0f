// CallQueue: a gRPC completion queue and the thread that takes its events.

#ifndef CLIENT_CALL_QUEUE_H_
#define CLIENT_CALL_QUEUE_H_

#include <chrono>
#include <mutex>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"

#include "core/base/mutex.h"

namespace relu {

// What waits for one event of a CallQueue.
class QueueEvent {
 public:
  virtual ~QueueEvent() = default;
  // Runs on the queue's thread. `ok` is gRPC's.
  virtual void OnEvent(bool ok) = 0;
};

// Why not gRPC's callbacks: with gRPC 1.51, to close the last channel that used
// these aborts the process now and then. Thread-safe.
class CallQueue {
 public:
  CallQueue() = default;
  // Waits until every event that is waited for has come.
  ~CallQueue();
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  grpc::CompletionQueue& queue() { return queue_; }
  // The tag for an operation whose end is an event of `event`, which must live
  // until then. Once for each operation.
  void* TagOf(QueueEvent& event) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void TakeEvents() ABSL_LOCKS_EXCLUDED(mu_);

  grpc::CompletionQueue queue_;
  std::once_flag started_;
  std::thread thread_;  // Runs TakeEvents(), from the first tag on.
  Mutex mu_;
  CondVar none_;
  int waiting_ ABSL_GUARDED_BY(mu_) = 0;
};

// Runs a function on the thread of a queue when its time has come.
class QueueTimer final : public QueueEvent {
 public:
  // `done` runs once, with false if the timer was cancelled; it may destroy the
  // timer.
  explicit QueueTimer(absl::AnyInvocable<void(bool)> done)
      : done_(std::move(done)) {}

  // Once.
  void Start(std::chrono::nanoseconds delay, CallQueue& queue);
  void Cancel() { alarm_.Cancel(); }

  void OnEvent(bool ok) override;

 private:
  grpc::Alarm alarm_;
  absl::AnyInvocable<void(bool)> done_;
};

}  // namespace relu

#endif  // CLIENT_CALL_QUEUE_H_
