// InFlightBytes: how many bytes of requests and answers the server holds, and
// may hold. HeldBytes: what one call has of them.

#ifndef CORE_BASE_IN_FLIGHT_BYTES_H_
#define CORE_BASE_IN_FLIGHT_BYTES_H_

#include <atomic>
#include <chrono>
#include <cstddef>

#include "absl/status/status.h"

namespace relu {

// Thread-safe. A count alone: nothing is published through it, so relaxed order
// is enough.
class InFlightBytes {
 public:
  explicit InFlightBytes(std::size_t limit) : limit_(limit) {}

  // Counts `bytes` for a call that has `held` already, if they fit or are all
  // there are: what is alone may be larger. Else returns false, and they are
  // not counted.
  bool Take(std::size_t bytes, std::size_t held = 0) {
    const std::size_t before =
        bytes_.fetch_add(bytes, std::memory_order_relaxed);
    if (before == held || before + bytes <= limit_) {
      return true;
    }
    GiveBack(bytes);
    return false;
  }

  // Counts `bytes` although they may not fit: what is there already.
  void TakeAnyway(std::size_t bytes) {
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
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

// When to come again after a refusal for want of room: most requests are over
// much earlier, but those that take the room may be large.
inline constexpr std::chrono::milliseconds kBytesPushback{20};

// For one thread at a time.
class HeldBytes {
 public:
  // `in_flight` outlives it; nullptr: nothing is counted.
  explicit HeldBytes(InFlightBytes* in_flight) : in_flight_(in_flight) {}
  ~HeldBytes() { LetGo(); }

  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;

  // Counts `bytes` more, until LetGo(). RESOURCE_EXHAUSTED if they do not fit.
  absl::Status Hold(std::size_t bytes);

  // The same for what cannot be refused any more, such as an answer: others
  // are refused until it is let go.
  void HoldAnyway(std::size_t bytes);

  void LetGo();

  // Whether Hold() failed since the last LetGo().
  bool refused() const { return refused_; }

 private:
  InFlightBytes* const in_flight_;
  std::size_t bytes_ = 0;
  bool refused_ = false;
};

}  // namespace relu

#endif  // CORE_BASE_IN_FLIGHT_BYTES_H_
