#include "core/batching/active_queues.h"

#include <algorithm>
#include <cstddef>

#include "core/batching/inference_request.h"
#include "core/batching/model_queue.h"

namespace relu {
namespace {

// What waits of one kind: in all, for one model, and what is to be added.
struct Amounts {
  std::size_t all = 0;
  std::size_t own = 0;
  std::size_t added = 0;
};

bool Exceeds(const Amounts& amounts, std::size_t most, std::size_t models) {
  // Something of any size may wait alone.
  return amounts.all > 0 &&
         (amounts.all + amounts.added > most ||
          (amounts.all >= most / 2 && amounts.own >= most / 2 / models));
}

}  // namespace

Rejection ActiveQueues::Check(const ModelQueue& queue,
                              const InferenceRequest& request) const {
  const RequestQueue& own = queue.waiting();
  const std::size_t models = queues_.size() + (own.size() == 0 ? 1 : 0);
  if (Exceeds({.all = requests_, .own = own.size(), .added = 1},
              limits_.max_requests, models)) {
    return Rejection::kTotalRequests;
  }
  if (Exceeds({.all = bytes_, .own = own.bytes(), .added = request.bytes},
              limits_.max_bytes, models)) {
    return Rejection::kTotalBytes;
  }
  return Rejection::kNone;
}

void ActiveQueues::Update(ModelQueue& queue) {
  const bool was_listed = queue.counted_requests > 0;
  // Modular: it may shrink.
  requests_ += queue.waiting().size() - queue.counted_requests;
  bytes_ += queue.waiting().bytes() - queue.counted_bytes;
  queue.counted_requests = queue.waiting().size();
  queue.counted_bytes = queue.waiting().bytes();
  const bool is_listed = queue.counted_requests > 0;
  if (is_listed && !was_listed) {
    queue.CatchUp(virtual_time_);
    queue.active_position = queues_.size();
    queues_.push_back(&queue);
  } else if (was_listed && !is_listed) {
    queues_.back()->active_position = queue.active_position;
    queues_[queue.active_position] = queues_.back();
    queues_.pop_back();
  }
}

ModelQueue* ActiveQueues::Next(Clock::time_point now) const {
  ModelQueue* next = nullptr;
  for (ModelQueue* queue : queues_) {
    if (queue->Ready(now) &&
        (next == nullptr || queue->virtual_time() < next->virtual_time())) {
      next = queue;
    }
  }
  return next;
}

int ActiveQueues::Start(ModelQueue& queue, Clock::time_point now) {
  virtual_time_ = std::max(virtual_time_, queue.virtual_time());
  const int slot = queue.Take(now);
  Update(queue);
  return slot;
}

ActiveQueues::Expired ActiveQueues::PopExpired(Clock::time_point now) {
  for (ModelQueue* queue : queues_) {
    if (queue->waiting().next_expiry() > now) {
      continue;
    }
    if (InferenceRequest* request = queue->PopExpired(now)) {
      Update(*queue);
      return {.queue = queue, .request = request};
    }
  }
  return {};
}

ActiveQueues::Clock::time_point ActiveQueues::NextEvent(
    Clock::time_point now) const {
  Clock::time_point next = Clock::time_point::max();
  for (const ModelQueue* queue : queues_) {
    next = std::min(next, queue->NextEvent(now));
  }
  return next;
}

ActiveQueues::Clock::duration ActiveQueues::WaitingCost() const {
  Clock::duration cost{0};
  for (const ModelQueue* queue : queues_) {
    cost += queue->cost().Of(queue->waiting().rows());
  }
  return cost;
}

}  // namespace relu
