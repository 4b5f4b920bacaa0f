#include "client/call_queue.h"

#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include "core/base/mutex.h"

namespace relu {

CallQueue::~CallQueue() {
  {
    const MutexLock lock(mu_);
    while (waiting_ > 0) {
      none_.Wait(mu_);
    }
  }
  queue_.Shutdown();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void* CallQueue::TagOf(QueueEvent& event) {
  std::call_once(started_,
                 [this] { thread_ = std::thread([this] { TakeEvents(); }); });
  const MutexLock lock(mu_);
  ++waiting_;
  return &event;
}

void CallQueue::TakeEvents() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
    static_cast<QueueEvent*>(tag)->OnEvent(ok);
    const MutexLock lock(mu_);
    if (--waiting_ == 0) {
      none_.NotifyAll();
    }
  }
}

void QueueTimer::Start(std::chrono::nanoseconds delay, CallQueue& queue) {
  alarm_.Set(&queue.queue(),
             std::chrono::system_clock::now() +
                 std::chrono::duration_cast<std::chrono::microseconds>(delay),
             queue.TagOf(*this));
}

void QueueTimer::OnEvent(bool ok) {
  auto done = std::move(done_);  // On the stack: it may destroy the timer.
  done(ok);
}

}  // namespace relu
