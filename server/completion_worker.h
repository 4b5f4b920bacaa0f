// CompletionWorker: one thread that serves gRPC: it takes what has arrived on
// its completion queue, runs it as batches, and sends the answers.

#ifndef SERVER_COMPLETION_WORKER_H_
#define SERVER_COMPLETION_WORKER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <memory>
#include <thread>

#include "grpc/support/time.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"

#include "core/batching/dispatcher.h"
#include "server/arrived_calls.h"
#include "server/call_pool.h"
#include "server/generic_call.h"
#include "server/grpc_services.h"
#include "server/infer_call.h"
#include "server/queued_call.h"
#include "server/stream_infer_call.h"

namespace relu {

// The public functions are for one thread, the one that owns the server.
class CompletionWorker final : private Dispatcher::Worker {
 public:
  // What `services` names outlives the worker. An answer that is on its way for
  // `answer_timeout`, or a third longer, ends its call; 0: none. For
  // `busy_poll` the thread looks for its next event again and again before it
  // sleeps.
  CompletionWorker(const GrpcServices& services,
                   std::unique_ptr<grpc::ServerCompletionQueue> queue,
                   std::chrono::milliseconds answer_timeout,
                   std::chrono::microseconds busy_poll);

  // Join() first, if Start() was called.
  ~CompletionWorker() override;

  CompletionWorker(const CompletionWorker&) = delete;
  CompletionWorker& operator=(const CompletionWorker&) = delete;

  // Starts the thread. The gRPC server of the queue has been started.
  void Start();

  // Inferences that have arrived since the start. Any thread.
  std::uint64_t arrivals() const {
    return arrivals_.load(std::memory_order_relaxed);
  }

  // Waits until every call is over and ends the thread. After
  // grpc::Server::Shutdown(), which ends the calls.
  void Join();

 private:
  using Clock = std::chrono::steady_clock;

  // Ends the thread's wait for an event, by an event.
  class WakeEvent final : public QueuedCall {
   public:
    void OnEvent(Event event, bool ok) override;
    Tag tag{this, Event::kWoken};
    grpc::Alarm alarm;
    // Set by whoever posts the event, cleared by who takes it: at most one is
    // in the queue, since an alarm cannot be set twice.
    std::atomic<bool> posted = false;
    bool taken = false;  // The thread's own: it came and was not looked after.
  };

  void Wake() override;

  void Loop();
  void Dispatch(void* tag, bool ok);
  // Takes an event; if `wait` is set, the first there will be, unless it is
  // time to look at answers before. False: there will be no more.
  bool TakeEvent(bool wait);
  grpc::CompletionQueue::NextStatus TakeEventUntil(gpr_timespec end);
  void DrainReady();
  // Until nothing has been found for `patience`, or a burst is full.
  void TakeReady(Clock::duration patience);
  void TendCalls();
  // Until when a wait for an event may last.
  gpr_timespec WaitEnd() const;
  // Ends calls whose answers are late, if it is time to look.
  void LookAtAnswers();

  const GrpcServices services_;
  // Before the calls, which hold tags and operations in it.
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  WakeEvent wake_event_;
  ArrivedCalls arrived_;
  CallPool<InferCall> infer_calls_;
  CallPool<StreamInferCall> stream_infer_calls_;
  CallPool<GenericCall> generic_calls_;
  // A count that is only looked at: nothing is published through it.
  std::atomic<std::uint64_t> arrivals_ = 0;
  // The thread's own: it has no calls any more, and serves no others.
  bool over_ = false;
  std::latch calls_over_{1};
  // The thread's own: whether the last look for more found nothing, and how
  // many bursts have not been looked after since then.
  bool comes_alone_ = false;
  int unlooked_bursts_ = 0;
  Clock::duration round_time_{0};  // The thread's own: of the last batches.
  const std::chrono::microseconds busy_poll_;
  // The thread's own: when answers are looked at next, in the clock of gRPC,
  // how often, and whether to see if it is time.
  const std::chrono::milliseconds look_interval_;  // 0: never.
  gpr_timespec next_look_;
  bool may_be_late_ = false;
  unsigned rounds_ = 0;
  std::thread thread_;
};

}  // namespace relu

#endif  // SERVER_COMPLETION_WORKER_H_
