// Arrivals: when the calls of an open loop are to start, whatever the server
// does.

#ifndef CLIENT_LOAD_ARRIVALS_H_
#define CLIENT_LOAD_ARRIVALS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace relu::load {

// One of several threads that share the load: `index` of `count`.
struct Share {
  int index = 0;
  int count = 1;
};

// The times of one thread, one after the other. For one thread.
class Arrivals {
 public:
  // One call every 1 / `per_second`; the threads take turns.
  static Arrivals Constant(double per_second, Share share);

  // A Poisson process of `per_second` in all: gaps are exponential, so that
  // calls come as from many clients that know nothing of each other.
  static Arrivals Poisson(double per_second, Share share, std::uint64_t seed);

  // At `times`, which ascend; the threads take turns. Ends after the last.
  static Arrivals Replay(
      std::shared_ptr<const std::vector<std::chrono::nanoseconds>> times,
      Share share);

  // When the next call is to start, from the start of the run; nullopt if there
  // is none.
  std::optional<std::chrono::nanoseconds> Next();

 private:
  enum class Kind { kConstant, kPoisson, kReplay };

  Arrivals(Kind kind, double per_second, Share share, std::uint64_t seed)
      : kind_(kind),
        per_second_(per_second),
        share_(share),
        random_(seed + static_cast<std::uint64_t>(share.index)) {}

  Kind kind_;
  double per_second_;
  Share share_;
  std::uint64_t taken_ = 0;
  double poisson_seconds_ = 0;  // Where the Poisson process has come to.
  std::mt19937_64 random_;
  std::shared_ptr<const std::vector<std::chrono::nanoseconds>> times_;
};

// The times in `text`: one a line, in seconds, in ascending order, of which the
// first counts as 0 (so that they may be those of a log). Empty lines and those
// that start with '#' are left out. INVALID_ARGUMENT, naming the line, if one
// is no such time, or if there is none.
absl::StatusOr<std::vector<std::chrono::nanoseconds>> ParseTimestamps(
    std::string_view text);

}  // namespace relu::load

#endif  // CLIENT_LOAD_ARRIVALS_H_
