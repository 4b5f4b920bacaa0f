// TerminationSignal: turns SIGTERM, SIGINT and SIGHUP into something to wait
// for.

#ifndef SERVER_TERMINATION_SIGNAL_H_
#define SERVER_TERMINATION_SIGNAL_H_

#include <atomic>
#include <latch>
#include <thread>

namespace relu {

// Make one before any other thread: threads inherit that the signals are
// blocked. They stay blocked when it is destroyed. The first signal ends
// Wait(); a second one ends the process at once, with exit code 1.
class TerminationSignal {
 public:
  TerminationSignal();
  ~TerminationSignal();

  TerminationSignal(const TerminationSignal&) = delete;
  TerminationSignal& operator=(const TerminationSignal&) = delete;

  // Waits for the first signal, which may have come already, and returns it.
  int Wait() {
    received_.wait();
    return first_;
  }

 private:
  void Loop();

  int first_ = 0;  // Written before received_ is counted down.
  std::latch received_{1};
  // Set before the thread is woken to end; sequentially consistent.
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace relu

#endif  // SERVER_TERMINATION_SIGNAL_H_
