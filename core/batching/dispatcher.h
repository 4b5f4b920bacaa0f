// Dispatcher: shares the threads of the server among the models: it decides
// which batch a thread runs next, and which thread needs to wake up for it.

#ifndef CORE_BATCHING_DISPATCHER_H_
#define CORE_BATCHING_DISPATCHER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "core/base/mutex.h"
#include "core/batching/active_queues.h"
#include "core/batching/inference_request.h"
#include "core/batching/model_queue.h"
#include "core/batching/request_list.h"

namespace relu {

struct DispatcherOptions {
  TotalLimits limits = {};
  // A thread that serves looks for arrivals again after one batch, or after
  // several that take no more than this together. Answers wait for it, and
  // leave together.
  std::chrono::microseconds round{50};
  // Work that is worth waking a thread for: so long takes the waking.
  std::chrono::microseconds wake_cost{50};
  // The clock; tests put their own. Called with the dispatcher's lock held too.
  std::function<std::chrono::steady_clock::time_point()> now =
      &std::chrono::steady_clock::now;
};

// Thread-safe. Models take turns as ActiveQueues says: one that is flooded
// cannot starve another.
class Dispatcher {
 public:
  // A thread that serves, and sleeps when there is nothing to do. It belongs to
  // the server, which knows how to wake it.
  class Worker {
   public:
    // Ends the sleep of the thread, soon: it then calls Serve(). Called from
    // any thread, with no lock held, not again before Serve() is called.
    virtual void Wake() = 0;

    virtual ~Worker() = default;

   private:
    friend class Dispatcher;
    enum class State { kAsleep, kLooking, kRunning };
    // Guarded by the dispatcher's mutex.
    State state_ = State::kAsleep;
    int wakes_ = 0;  // Calls of Wake() that are not over.
  };

  explicit Dispatcher(DispatcherOptions options = {});
  // All models and workers are gone.
  ~Dispatcher();

  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // A worker may sleep at first. From then on it calls Serve() whenever
  // something arrived, it was woken, or Serve() returned true. It is removed
  // while it is not in Serve(), which it does not call any more; it is not
  // woken any more, and what it was woken for is left to others.
  void AddWorker(Worker& worker) ABSL_LOCKS_EXCLUDED(mu_);
  void RemoveWorker(Worker& worker) ABSL_LOCKS_EXCLUDED(mu_);

  // On the worker's thread: takes requests that arrived together, to any
  // models, then runs batches. Returns true if more could be run, and the
  // worker is to come again after a look for arrivals; false if it may sleep.
  // Each request is completed exactly once, from this call or from another
  // thread's. Requests that wait are run by whichever thread is free first.
  bool Serve(Worker& worker, std::span<InferenceRequest* const> requests)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Does what time alone brings about: completes requests whose time is over,
  // even while all threads compute, and wakes a worker for a batch that has
  // waited for company long enough. KeepTime() calls it when it is due, until
  // StopTime(); one thread of the owner runs it. Tests call Tick(). It returns
  // the time for which it looked.
  std::chrono::steady_clock::time_point Tick() ABSL_LOCKS_EXCLUDED(mu_);
  void KeepTime() ABSL_LOCKS_EXCLUDED(mu_);
  void StopTime() ABSL_LOCKS_EXCLUDED(mu_);

  // Whether at most one batch runs, of all models, and nothing waits.
  bool quiet() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  friend class Scheduler;
  using Clock = InferenceRequest::Clock;

  // A batch that a thread has taken. None if `queue` is null.
  struct Started {
    ModelQueue* queue = nullptr;
    int slot = 0;
  };

  // What a thread finds to do when it looks.
  struct Findings {
    Started started;       // To run.
    RequestChain dropped;  // To complete.
    Worker* wake = nullptr;
    // Nothing was started, but something could be.
    bool more = false;
  };

  // --- For Scheduler; see there ---
  void Submit(std::span<InferenceRequest* const> requests)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Cancel(ModelQueue& queue, InferenceRequest& request)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Close(ModelQueue& queue) ABSL_LOCKS_EXCLUDED(mu_);
  void Drain(const ModelQueue& queue) ABSL_LOCKS_EXCLUDED(mu_);
  std::size_t QueueSize(const ModelQueue& queue) const ABSL_LOCKS_EXCLUDED(mu_);
  void NoteCost(ModelQueue& queue, std::int64_t rows, Clock::duration cost)
      ABSL_LOCKS_EXCLUDED(mu_);

  // --- Under the lock ---
  // Puts requests into their queues, or into `refused`.
  void AddAll(std::span<InferenceRequest* const> requests,
              Clock::time_point now, RequestChain& refused)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // `request` has left `queue` and is to be dropped. `dropped` gets it if no
  // row of it is running; the queue is then held until it is completed.
  void Drop(ModelQueue& queue, InferenceRequest& request, Rejection why,
            RequestChain& dropped) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // What a thread does before, between and after its batches (`worker` is
  // nullptr for one that is none): drops what has expired, takes a batch if one
  // can start that is over by `round_end`, and finds out who has to wake up and
  // when time is to be kept. If it takes no batch the thread leaves.
  void Look(Worker* worker, Clock::time_point now, Clock::time_point round_end,
            Findings& findings) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DropExpired(Clock::time_point now, RequestChain& dropped)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Started Start(ModelQueue& queue, Clock::time_point now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Who is to wake up for a batch that can start while this thread runs
  // `started`; nullptr if nobody is. WakeUp() follows.
  Worker* WorkerToWake(Clock::time_point now, const Started& started)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetState(Worker& worker, Worker::State state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Lets go of a queue that was held.
  void LetGo(ModelQueue& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // --- Without it ---
  // `worker` is nullptr for a thread that is none. See Serve().
  bool ServeAs(Worker* worker, std::span<InferenceRequest* const> requests)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Runs the batch and completes its requests. Returns when it was computed.
  Clock::time_point Run(const Started& started) ABSL_LOCKS_EXCLUDED(mu_);
  // Notes that rows of a split request are computed. True if they were the
  // last: the request is then the caller's to complete.
  bool FinishPiece(ModelQueue& queue, const BatchSlice& piece)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Wakes whom WorkerToWake() found; nullptr: nobody.
  void WakeUp(Worker* worker) ABSL_LOCKS_EXCLUDED(mu_);
  // Wakes whom Look() found, and completes what it dropped.
  void Act(Findings& findings, Clock::time_point now) ABSL_LOCKS_EXCLUDED(mu_);
  void CompleteRefused(RequestChain& refused, Clock::time_point now)
      ABSL_LOCKS_EXCLUDED(mu_);
  void CompleteDropped(RequestChain& dropped, Clock::time_point now)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Calls `done`, in order if the model keeps it. `queue` is held. The request
  // is gone afterwards.
  void Complete(ModelQueue& queue, InferenceRequest& request,
                Clock::time_point now) ABSL_LOCKS_EXCLUDED(mu_);
  void AnswerInOrder(ModelQueue& queue, InferenceRequest& request)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Answer(const ModelQueue& queue, InferenceRequest& request);

  const DispatcherOptions options_;

  mutable Mutex mu_;
  CondVar idle_;   // Some queue is held by nobody any more, or a wake is over.
  CondVar timer_;  // timer_at_ came nearer, or time is stopped.
  ActiveQueues active_ ABSL_GUARDED_BY(mu_);
  std::vector<Worker*> workers_ ABSL_GUARDED_BY(mu_);
  int looking_workers_ ABSL_GUARDED_BY(mu_) = 0;
  int running_batches_ ABSL_GUARDED_BY(mu_) = 0;
  // When KeepTime() will look.
  Clock::time_point timer_at_ ABSL_GUARDED_BY(mu_) = Clock::time_point::max();
  bool time_stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace relu

#endif  // CORE_BATCHING_DISPATCHER_H_
