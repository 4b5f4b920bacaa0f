// Published: a pointer to something immutable that many threads look at all the
// time and one thread replaces now and then.

#ifndef CORE_BASE_PUBLISHED_H_
#define CORE_BASE_PUBLISHED_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"

#include "core/base/mutex.h"

namespace relu {

// Thread-safe. A reader takes a lock that it shares with hardly any other
// thread, the writer takes them all: so readers do not wait for each other, and
// from one moment on all of them see the new value.
//
// Why not std::atomic<std::shared_ptr>: in libstdc++ 12 it is a lock that all
// readers share, and they would write to one reference count.
template <typename T>
class Published {
 public:
  // `value` is not null.
  explicit Published(std::shared_ptr<const T> value)
      : value_(std::move(value)) {}
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  // Calls read(const T&) and returns what it returns. It must be short and must
  // not use this object.
  template <typename Read>
  auto With(Read read) const {
    const MutexLock lock(locks_[ThisThread() % kLocks].mu);
    return read(*value_);
  }

  // The value, to keep.
  std::shared_ptr<const T> Get() const {
    const MutexLock lock(locks_[ThisThread() % kLocks].mu);
    return value_;
  }

  // Returns the value before. No With() sees it any more. `value` is not null.
  std::shared_ptr<const T> Replace(std::shared_ptr<const T> value)
      ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (Lock& lock : locks_) {
      lock.mu.Lock();
    }
    value_.swap(value);
    for (Lock& lock : locks_) {
      lock.mu.Unlock();
    }
    return value;
  }

 private:
  // Two cores must not share the cache line of a lock.
  struct alignas(64) Lock {
    mutable Mutex mu;
  };
  static constexpr std::size_t kLocks = 16;

  // Numbers the threads in the order in which they come here first.
  static std::size_t ThisThread() {
    static std::atomic<std::size_t> threads = 0;
    thread_local const std::size_t number =
        threads.fetch_add(1, std::memory_order_relaxed);
    return number;
  }

  std::array<Lock, kLocks> locks_;
  // Read under any of the locks, written under all of them.
  std::shared_ptr<const T> value_;
};

}  // namespace relu

#endif  // CORE_BASE_PUBLISHED_H_
