#include "core/batching/expiry_heap.h"

#include <cstddef>

#include "core/batching/inference_request.h"

namespace relu {
namespace {

using Progress = InferenceRequest::Progress;

bool Before(const InferenceRequest* a, const InferenceRequest* b) {
  return a->progress.expiry < b->progress.expiry;
}

}  // namespace

void ExpiryHeap::Add(InferenceRequest& request) {
  if (request.progress.expiry == Clock::time_point::max()) {
    return;
  }
  heap_.push_back(&request);
  SiftUp(heap_.size() - 1);
}

void ExpiryHeap::Remove(InferenceRequest& request) {
  const std::size_t position = request.progress.heap_position;
  if (position == Progress::kNotInHeap) {
    return;
  }
  request.progress.heap_position = Progress::kNotInHeap;
  InferenceRequest& last = *heap_.back();
  heap_.pop_back();
  if (&last == &request) {
    return;
  }
  Put(position, last);
  SiftUp(position);
  SiftDown(last.progress.heap_position);
}

void ExpiryHeap::Put(std::size_t position, InferenceRequest& request) {
  heap_[position] = &request;
  request.progress.heap_position = position;
}

void ExpiryHeap::SiftUp(std::size_t position) {
  InferenceRequest& request = *heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!Before(&request, heap_[parent])) {
      break;
    }
    Put(position, *heap_[parent]);
    position = parent;
  }
  Put(position, request);
}

void ExpiryHeap::SiftDown(std::size_t position) {
  InferenceRequest& request = *heap_[position];
  while (true) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) {
      break;
    }
    if (child + 1 < heap_.size() && Before(heap_[child + 1], heap_[child])) {
      ++child;
    }
    if (!Before(heap_[child], &request)) {
      break;
    }
    Put(position, *heap_[child]);
    position = child;
  }
  Put(position, request);
}

}  // namespace relu
