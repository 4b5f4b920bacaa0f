// ActiveQueues: the models for which requests wait, whose turn it is, and how
// much waits for all of them.

#ifndef CORE_BATCHING_ACTIVE_QUEUES_H_
#define CORE_BATCHING_ACTIVE_QUEUES_H_

#include <chrono>
#include <cstddef>
#include <vector>

#include "core/batching/inference_request.h"
#include "core/batching/model_queue.h"

namespace relu {

// What may wait for all models together. As long as half of it is free, any
// model may use it; then a model may if it has less than its share of the other
// half, so that a model that is flooded leaves room for others.
struct TotalLimits {
  std::size_t max_requests = 16384;
  std::size_t max_bytes = std::size_t{256} << 20;
};

// Models take turns by the time that their batches took. The next is the one
// that had least of it since all of them had something to do. Looking takes a
// time in proportion to the number of models for which requests wait.
// Thread-compatible.
class ActiveQueues {
 public:
  using Clock = InferenceRequest::Clock;

  explicit ActiveQueues(const TotalLimits& limits) : limits_(limits) {}

  const TotalLimits& limits() const { return limits_; }

  // kNone, kTotalRequests or kTotalBytes, for a request that `queue` would
  // take.
  Rejection Check(const ModelQueue& queue,
                  const InferenceRequest& request) const;

  // The requests that wait in `queue` have changed.
  void Update(ModelQueue& queue);

  // Whose turn it is; nullptr if no batch can start.
  ModelQueue* Next(Clock::time_point now) const;

  // Starts a batch of Next(). Returns its slot.
  int Start(ModelQueue& queue, Clock::time_point now);

  // Removes a request that has expired and returns it, and its queue; {nullptr,
  // nullptr} if there is none.
  struct Expired {
    ModelQueue* queue = nullptr;
    InferenceRequest* request = nullptr;
  };
  Expired PopExpired(Clock::time_point now);

  // When time alone changes something: see ModelQueue.
  Clock::time_point NextEvent(Clock::time_point now) const;

  // What all that waits will take.
  Clock::duration WaitingCost() const;

  std::size_t requests() const { return requests_; }

 private:
  const TotalLimits limits_;
  std::vector<ModelQueue*> queues_;  // In no order.
  std::size_t requests_ = 0;
  std::size_t bytes_ = 0;
  // The virtual time of the model that was served last.
  Clock::duration virtual_time_{0};
};

}  // namespace relu

#endif  // CORE_BATCHING_ACTIVE_QUEUES_H_
