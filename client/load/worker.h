// Worker: one thread of a load run. Starts calls when they are due, and
// measures them.

#ifndef CLIENT_LOAD_WORKER_H_
#define CLIENT_LOAD_WORKER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <variant>
#include <vector>

#include "client/load/arrivals.h"
#include "client/load/call.h"
#include "client/load/measurements.h"
#include "client/load/mix.h"
#include "client/load/transport.h"

namespace relu::load {

// Keeps that many calls in flight: an answer starts the next call.
struct ClosedLoop {
  int concurrency = 1;
};

// Starts calls when they are due, whether answers came or not.
struct OpenLoop {
  Arrivals arrivals;
  // Calls that are due wait while so many are in flight.
  std::size_t max_in_flight = 0;
};

struct WorkerPlan {
  std::variant<ClosedLoop, OpenLoop> loop;
  const Mix* mix = nullptr;
  Share share;
  std::uint64_t seed = 1;
  TimePoint start;  // Of the warm-up.
  std::chrono::nanoseconds warm_up{0};
  // How long is measured: calls that were to start in this time.
  std::chrono::nanoseconds duration{0};
  // Measured calls after which the worker ends before that.
  std::optional<std::uint64_t> calls;
  std::chrono::nanoseconds window{0};   // How often measurements are handed on.
  std::chrono::nanoseconds timeout{0};  // Of a call, from its send.
};

// Takes what workers have measured.
class WindowSink {
 public:
  virtual ~WindowSink() = default;
  // Window `index` of the worker is over. Called in order.
  virtual void OnWindow(std::size_t index, const Measurements& window) = 0;
  // The worker is done. `tail` has the calls that ended after the last window.
  virtual void OnEnd(const Measurements& tail) = 0;
};

// For one thread.
class Worker {
 public:
  // All outlive the worker. It starts no more calls once `stopped` says so.
  Worker(const WorkerPlan& plan, Transport& transport, WindowSink& sink,
         const std::function<bool()>& stopped);

  // Returns when all its calls are over.
  void Run();

 private:
  // A call and its place in the list that it is in.
  struct Slot : Call {
    std::list<Slot>::iterator self;
    TimePoint expires;
  };

  bool IsMeasured(TimePoint time) const {
    return time >= measure_start_ && time < measure_end_;
  }
  // A call that is to start at `intended` may be started.
  bool MayStart(TimePoint intended) const;
  void StartClosed(TimePoint now);
  void StartOpen(TimePoint now);
  void StartCall(TimePoint intended, TimePoint now, int connection);
  // Sees to it that next_arrival_ is there, unless there is none any more.
  void FetchArrival();
  // Takes the next arrival if it is due at `now`.
  std::optional<TimePoint> TakeArrival(TimePoint now);
  void GiveUp(TimePoint now);
  void Finish(Slot& slot, TimePoint now);
  void HandOnWindows(TimePoint now);
  void HandOn(TimePoint end);
  void RememberTotals();
  TimePoint NextWake(TimePoint now) const;
  bool IsDone(TimePoint now);
  void CountUnsent();

  const WorkerPlan& plan_;
  Transport& transport_;
  WindowSink& sink_;
  const std::function<bool()>& stopped_;
  const ClosedLoop* closed_ = nullptr;  // One of these two.
  std::optional<Arrivals> arrivals_;
  std::optional<TimePoint> next_arrival_;  // Not started yet.
  bool arrivals_over_ = false;
  std::size_t max_in_flight_ = 0;
  RequestSequence requests_;
  TimePoint measure_start_;
  TimePoint measure_end_;
  TimePoint give_up_;  // When calls that are due are started no more.
  std::uint64_t measured_calls_ = 0;  // That were started.
  std::list<Slot> in_flight_;         // In the order of their sends.
  std::list<Slot> free_;
  bool measuring_ = false;
  bool windows_over_ = false;  // All were handed on.
  Measurements window_;
  std::size_t window_index_ = 0;
  TimePoint window_start_;
  // Where these stood at the start of the window.
  std::chrono::nanoseconds cpu_before_{0};
  std::uint64_t bytes_sent_before_ = 0;
  std::uint64_t bytes_received_before_ = 0;
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_WORKER_H_
