// ByteBudget: how many bytes all bodies together may take.

#ifndef SERVER_HTTP_BYTE_BUDGET_H_
#define SERVER_HTTP_BYTE_BUDGET_H_

#include <atomic>
#include <cstddef>

namespace relu {

// Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t bytes) : left_(bytes) {}

  // False if there are not so many left; then none are taken.
  bool Take(std::size_t bytes) {
    std::size_t left = left_.load(std::memory_order_relaxed);
    while (left >= bytes) {
      if (left_.compare_exchange_weak(left, left - bytes,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  void GiveBack(std::size_t bytes) {
    left_.fetch_add(bytes, std::memory_order_relaxed);
  }

 private:
  // A count alone: nothing is published through it, so relaxed order is enough.
  std::atomic<std::size_t> left_;
};

// What one request has taken; given back at the end of its scope. For one
// thread. The budget outlives it.
class BytesTaken {
 public:
  explicit BytesTaken(ByteBudget& budget) : budget_(budget) {}
  ~BytesTaken() { Clear(); }
  BytesTaken(const BytesTaken&) = delete;
  BytesTaken& operator=(const BytesTaken&) = delete;

  bool Take(std::size_t bytes) {
    if (!budget_.Take(bytes)) {
      return false;
    }
    bytes_ += bytes;
    return true;
  }

  void Clear() {
    budget_.GiveBack(bytes_);
    bytes_ = 0;
  }

 private:
  ByteBudget& budget_;
  std::size_t bytes_ = 0;
};

}  // namespace relu

#endif  // SERVER_HTTP_BYTE_BUDGET_H_
