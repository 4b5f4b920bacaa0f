// AnswerAge: for how long an answer has been on its way to its client.

#ifndef SERVER_ANSWER_AGE_H_
#define SERVER_ANSWER_AGE_H_

#include <atomic>

namespace relu {

// gRPC holds an answer, without end, that its client has given no room for.
// Whoever looks every so often learns which answers do not move, and no call
// has to read a clock. One answer at a time; thread-safe.
class AnswerAge {
 public:
  // Looks until an answer is late: its way took between kLooks - 1 and kLooks
  // times what lies between two looks.
  static constexpr int kLooks = 4;

  // An answer goes to gRPC now.
  void Start() { looks_.store(0, std::memory_order_relaxed); }

  // It has left, or never will.
  void End() { looks_.store(kNone, std::memory_order_relaxed); }

  // Looks. True if the answer on its way is late: once for each.
  bool LookFindsLate() {
    // A count alone, in relaxed order. An answer that starts meanwhile wins.
    int looks = looks_.load(std::memory_order_relaxed);
    return looks != kNone && looks < kLooks &&
           looks_.compare_exchange_strong(looks, looks + 1,
                                          std::memory_order_relaxed) &&
           looks + 1 == kLooks;
  }

 private:
  static constexpr int kNone = -1;

  std::atomic<int> looks_ = kNone;
};

}  // namespace relu

#endif  // SERVER_ANSWER_AGE_H_
