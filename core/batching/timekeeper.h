// Timekeeper: the thread that keeps time for a Dispatcher.

#ifndef CORE_BATCHING_TIMEKEEPER_H_
#define CORE_BATCHING_TIMEKEEPER_H_

#include <thread>

namespace relu {

class Dispatcher;

// Sleeps until a request expires or a batch has waited for company long enough,
// so mostly for ever. One for a dispatcher; for one thread.
class Timekeeper {
 public:
  // `dispatcher` outlives it.
  explicit Timekeeper(Dispatcher& dispatcher);
  ~Timekeeper();

  Timekeeper(const Timekeeper&) = delete;
  Timekeeper& operator=(const Timekeeper&) = delete;

 private:
  Dispatcher& dispatcher_;
  std::thread thread_;
};

}  // namespace relu

#endif  // CORE_BATCHING_TIMEKEEPER_H_
