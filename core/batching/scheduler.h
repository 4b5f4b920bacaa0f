// Scheduler: one model's place in the Dispatcher. It joins the requests to the
// model into batches of what has arrived and never waits for more, unless it is
// told to: batches grow by themselves with load, and an idle server adds no
// delay.

#ifndef CORE_BATCHING_SCHEDULER_H_
#define CORE_BATCHING_SCHEDULER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/batching/inference_request.h"
#include "core/batching/model_queue.h"

namespace relu {

class Dispatcher;

// Thread-safe.
class Scheduler {
 public:
  // `dispatcher` outlives it.
  Scheduler(Dispatcher& dispatcher, const SchedulerOptions& options,
            BatchRun run);

  // Close() and Drain(). Not from within a `done` of its own requests.
  ~Scheduler();

  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  Dispatcher& dispatcher() const { return dispatcher_; }

  // Takes requests that arrived together, for threads that are no workers of
  // the dispatcher. Each is completed exactly once, from this call or from
  // another thread's. This thread runs a batch at once if it can, and leaves
  // what waits then to the workers; if there are none, threads that submit are
  // all there is, and run batches until nothing waits for a free slot.
  // Within a priority, requests are run first-in first-out; one that does not
  // fit the rest of a batch is split, and its pieces may run on several slots
  // at once. Completed with an error instead: see Rejection; or what the runner
  // says of one of its slices, others are not affected.
  void Submit(std::span<InferenceRequest* const> requests);

  // The client of `request` is gone: it need not be run. It leaves the queue,
  // and is completed, in this call if it waits; does nothing if it does not.
  // `request` is alive: completed ones that are not used again are all right.
  void Cancel(InferenceRequest& request);

  // Refuses requests from now on; those accepted before still run.
  void Close();

  // Waits until no request is queued or running, and every `done` of those has
  // returned. Not from within a `done`: it would wait for itself.
  void Drain();

  // Requests that wait for a slot, those that are partly taken included.
  std::size_t queue_size() const;

  // A batch of so many rows took `cost`: for measurements before the first
  // request. Those of its own batches the scheduler notes by itself.
  void NoteCost(std::int64_t rows, std::chrono::steady_clock::duration cost);

 private:
  friend class Dispatcher;

  Dispatcher& dispatcher_;
  ModelQueue queue_;  // Guarded by the dispatcher.
};

}  // namespace relu

#endif  // CORE_BATCHING_SCHEDULER_H_
