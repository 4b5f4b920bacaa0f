// RequestQueue: the requests that wait for one model, by priority.

#ifndef CORE_BATCHING_REQUEST_QUEUE_H_
#define CORE_BATCHING_REQUEST_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "core/batching/batching_options.h"
#include "core/batching/expiry_heap.h"
#include "core/batching/inference_request.h"
#include "core/batching/request_list.h"

namespace relu {

struct QueueLimits {
  // Requests of one priority, where its policy does not say; 1 or more.
  std::size_t max_requests = 4096;
  // Of all priorities together. A request alone may be larger.
  std::size_t max_bytes = std::size_t{64} << 20;
};

// First-in first-out within a priority; requests whose policy delays them come
// after the others of theirs. Thread-compatible.
class RequestQueue {
 public:
  using Clock = InferenceRequest::Clock;

  RequestQueue(const BatchingOptions& options, const QueueLimits& limits);

  // The priority of `request`: 0 is the first.
  std::size_t LevelOf(const InferenceRequest& request) const;
  // Requests of priority `level` that may wait.
  std::size_t max_requests(std::size_t level) const {
    return levels_[level].max_requests;
  }

  // Sets level, drop_at, delay_from and expiry of its progress by the policy.
  void Prepare(InferenceRequest& request, Clock::time_point now) const;

  // kNone, kQueueRequests or kQueueBytes. After Prepare().
  Rejection Check(const InferenceRequest& request) const;

  // Whether rows of `request` wait here.
  bool Holds(const InferenceRequest& request) const;

  // After Prepare(). All rows wait.
  void Add(InferenceRequest& request);

  // `request`, of which rows wait, leaves.
  void Remove(InferenceRequest& request);

  // `rows` of first() are taken; if they were its last it leaves.
  void Take(std::int64_t rows);

  // When PopExpired() has something to do.
  Clock::time_point next_expiry() const { return expiries_.next(); }
  // Removes a request that is to be dropped by now and returns it; nullptr if
  // there is none. Those that are to be delayed by now are.
  InferenceRequest* PopExpired(Clock::time_point now);

  // The one that is to run next; nullptr if none waits.
  InferenceRequest* first() const;
  // The one that waits behind `request`; nullptr if it is the last.
  InferenceRequest* After(const InferenceRequest& request) const;

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }
  // Rows that wait, of all requests, and of those of priorities 0 .. level.
  std::int64_t rows() const { return rows_; }
  std::int64_t RowsUpTo(std::size_t level) const;

 private:
  struct Level {
    QueuePolicy policy;
    std::size_t max_requests = 0;
    RequestList waiting;
    RequestList delayed;
    std::int64_t rows = 0;
  };

  void Leave(InferenceRequest& request);
  void Delay(InferenceRequest& request);

  const std::size_t max_bytes_;
  const std::size_t default_level_;
  std::deque<Level> levels_;  // A list does not move.
  ExpiryHeap expiries_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace relu

#endif  // CORE_BATCHING_REQUEST_QUEUE_H_
