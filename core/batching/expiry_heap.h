// ExpiryHeap: which of the waiting requests runs out of time next.

#ifndef CORE_BATCHING_EXPIRY_HEAP_H_
#define CORE_BATCHING_EXPIRY_HEAP_H_

#include <cstddef>
#include <vector>

#include "core/batching/inference_request.h"

namespace relu {

// A binary heap by progress.expiry. A request is in one heap at most and knows
// its place, so that it can leave. Takes memory only while it grows beyond what
// it ever held. Thread-compatible.
class ExpiryHeap {
 public:
  using Clock = InferenceRequest::Clock;

  // `request` is in no heap. One that never expires is not added.
  void Add(InferenceRequest& request);

  // Does nothing if `request` is not in it.
  void Remove(InferenceRequest& request);

  // When first() expires; Clock::time_point::max() if the heap is empty.
  Clock::time_point next() const {
    return heap_.empty() ? Clock::time_point::max()
                         : heap_.front()->progress.expiry;
  }
  // The one that expires first. Not of an empty heap.
  InferenceRequest& first() const { return *heap_.front(); }

 private:
  void Put(std::size_t position, InferenceRequest& request);
  void SiftUp(std::size_t position);
  void SiftDown(std::size_t position);

  std::vector<InferenceRequest*> heap_;
};

}  // namespace relu

#endif  // CORE_BATCHING_EXPIRY_HEAP_H_
