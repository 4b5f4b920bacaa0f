// InFlightBytes: how many bytes of requests and answers the server holds, and
// may hold.

#ifndef SERVER_IN_FLIGHT_BYTES_H_
#define SERVER_IN_FLIGHT_BYTES_H_

#include <atomic>
#include <cstddef>

namespace relu {

// Thread-safe. A count alone: nothing is published through it, so relaxed order
// is enough.
class InFlightBytes {
 public:
  explicit InFlightBytes(std::size_t limit) : limit_(limit) {}

  // Counts `bytes`, if they fit or are all there are: what is alone may be
  // larger. Else returns false, and they are not counted.
  bool Take(std::size_t bytes) {
    const std::size_t before =
        bytes_.fetch_add(bytes, std::memory_order_relaxed);
    if (before == 0 || before + bytes <= limit_) {
      return true;
    }
    GiveBack(bytes);
    return false;
  }

  // What was taken before.
  void GiveBack(std::size_t bytes) {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }

  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  std::size_t limit() const { return limit_; }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> bytes_ = 0;
};

}  // namespace relu

#endif  // SERVER_IN_FLIGHT_BYTES_H_
