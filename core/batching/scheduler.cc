#include "core/batching/scheduler.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "core/batching/dispatcher.h"
#include "core/batching/inference_request.h"
#include "core/batching/model_queue.h"

namespace relu {

Scheduler::Scheduler(Dispatcher& dispatcher, const SchedulerOptions& options,
                     BatchRun run)
    : dispatcher_(dispatcher), queue_(options, std::move(run)) {}

Scheduler::~Scheduler() {
  Close();
  Drain();
}

void Scheduler::Submit(std::span<InferenceRequest* const> requests) {
  for (InferenceRequest* request : requests) {
    request->scheduler = this;
  }
  dispatcher_.Submit(requests);
}

void Scheduler::Cancel(InferenceRequest& request) {
  request.cancelled.store(true, std::memory_order_relaxed);
  dispatcher_.Cancel(queue_, request);
}

void Scheduler::Close() { dispatcher_.Close(queue_); }

void Scheduler::Drain() { dispatcher_.Drain(queue_); }

std::size_t Scheduler::queue_size() const {
  return dispatcher_.QueueSize(queue_);
}

void Scheduler::NoteCost(std::int64_t rows,
                         std::chrono::steady_clock::duration cost) {
  dispatcher_.NoteCost(queue_, rows, cost);
}

}  // namespace relu
