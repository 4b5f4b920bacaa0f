// AnswerAge: for how long an answer has been on its way to its client.

#ifndef SERVER_ANSWER_AGE_H_
#define SERVER_ANSWER_AGE_H_

#include <atomic>

namespace relu {

// gRPC holds an answer, without end, that its client does not take. Whoever
// looks every so often learns which are on their way for long, and no call has
// to read a clock. One answer at a time; thread-safe.
class AnswerAge {
 public:
  // Looks until an answer is late: its way took at least kIntervals times what
  // lies between two looks, and one more at most.
  static constexpr int kIntervals = 3;

  // An answer goes to gRPC now.
  void Start() { looks_.store(0, std::memory_order_relaxed); }

  // It has left, or never will.
  void End() { looks_.store(kNone, std::memory_order_relaxed); }

  // Looks. True if the answer on its way is late: once for each.
  bool LookFindsLate() {
    // A count alone, in relaxed order. An answer that starts meanwhile wins.
    int looks = looks_.load(std::memory_order_relaxed);
    return looks != kNone && looks <= kIntervals &&
           looks_.compare_exchange_strong(looks, looks + 1,
                                          std::memory_order_relaxed) &&
           looks == kIntervals;
  }

 private:
  static constexpr int kNone = -1;

  std::atomic<int> looks_ = kNone;
};

}  // namespace relu

#endif  // SERVER_ANSWER_AGE_H_
