// RequestList: requests in a row, linked through themselves: no memory of its
// own, and any of them can leave. RequestChain: those that wait nowhere.

#ifndef CORE_BATCHING_REQUEST_LIST_H_
#define CORE_BATCHING_REQUEST_LIST_H_

#include <cstddef>
#include <utility>

#include "core/batching/inference_request.h"

namespace relu {

// A request is in one list at most. Thread-compatible.
class RequestList {
 public:
  RequestList() = default;
  // The others' requests know where their list is.
  RequestList(const RequestList&) = delete;
  RequestList& operator=(const RequestList&) = delete;

  bool empty() const { return head_ == nullptr; }
  std::size_t size() const { return size_; }
  InferenceRequest* front() const { return head_; }

  static InferenceRequest* Next(const InferenceRequest& request) {
    return request.progress.next;
  }
  bool Holds(const InferenceRequest& request) const {
    return request.progress.list == this;
  }

  void PushBack(InferenceRequest& request) {
    InferenceRequest::Progress& progress = request.progress;
    progress.list = this;
    progress.next = nullptr;
    progress.previous = tail_;
    (tail_ == nullptr ? head_ : tail_->progress.next) = &request;
    tail_ = &request;
    ++size_;
  }

  // `request` is in this list.
  void Remove(InferenceRequest& request) {
    InferenceRequest::Progress& progress = request.progress;
    (progress.previous == nullptr ? head_ : progress.previous->progress.next) =
        progress.next;
    (progress.next == nullptr ? tail_ : progress.next->progress.previous) =
        progress.previous;
    progress.list = nullptr;
    --size_;
  }

 private:
  InferenceRequest* head_ = nullptr;
  InferenceRequest* tail_ = nullptr;
  std::size_t size_ = 0;
};

// Requests that have left all lists and are to be answered, in order. Whoever
// may cancel a request reads its `list`, so that is left alone here: a chain is
// unlinked without the lock that guards the lists. Thread-compatible.
class RequestChain {
 public:
  RequestChain() = default;
  RequestChain(const RequestChain&) = delete;
  RequestChain& operator=(const RequestChain&) = delete;

  bool empty() const { return head_ == nullptr; }

  // `request` is in no list and no other chain.
  void PushBack(InferenceRequest& request) {
    request.progress.next = nullptr;
    (tail_ == nullptr ? head_ : tail_->progress.next) = &request;
    tail_ = &request;
  }

  // Not if it is empty.
  InferenceRequest& PopFront() {
    InferenceRequest& first = *head_;
    head_ = first.progress.next;
    if (head_ == nullptr) {
      tail_ = nullptr;
    }
    return first;
  }

 private:
  InferenceRequest* head_ = nullptr;
  InferenceRequest* tail_ = nullptr;
};

}  // namespace relu

#endif  // CORE_BATCHING_REQUEST_LIST_H_
