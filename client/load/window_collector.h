// WindowCollector: joins what the workers of a run have measured.

#ifndef CLIENT_LOAD_WINDOW_COLLECTOR_H_
#define CLIENT_LOAD_WINDOW_COLLECTOR_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

#include "absl/base/thread_annotations.h"

#include "client/load/measurements.h"
#include "client/load/worker.h"
#include "core/base/mutex.h"

namespace relu::load {

// Thread-safe.
class WindowCollector {
 public:
  explicit WindowCollector(int workers);

  // What worker `index` of them reports to.
  WindowSink& sink(std::size_t index) { return sinks_[index]; }

  // Waits for the next window of all workers. nullopt: all have ended.
  std::optional<Measurements> NextWindow() ABSL_LOCKS_EXCLUDED(mu_);

  // What came after the windows. All workers have ended.
  Measurements tail() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Window {
    Measurements sum;
    int workers = 0;  // That are through with it.
  };

  class Sink final : public WindowSink {
   public:
    explicit Sink(WindowCollector& collector) : collector_(collector) {}
    void OnWindow(std::size_t index, const Measurements& window) override {
      collector_.Add(index, window);
    }
    void OnEnd(const Measurements& tail) override { collector_.End(tail); }

   private:
    WindowCollector& collector_;
  };

  void Add(std::size_t index, const Measurements& window)
      ABSL_LOCKS_EXCLUDED(mu_);
  void End(const Measurements& tail) ABSL_LOCKS_EXCLUDED(mu_);

  const int workers_;
  std::deque<Sink> sinks_;
  mutable Mutex mu_;
  CondVar changed_;
  std::deque<Window> windows_ ABSL_GUARDED_BY(mu_);  // Not taken yet.
  std::size_t taken_ ABSL_GUARDED_BY(mu_) = 0;       // Windows before these.
  int ended_ ABSL_GUARDED_BY(mu_) = 0;               // Workers.
  Measurements tail_ ABSL_GUARDED_BY(mu_);
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_WINDOW_COLLECTOR_H_
