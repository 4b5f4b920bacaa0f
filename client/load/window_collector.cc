#include "client/load/window_collector.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "client/load/measurements.h"
#include "core/base/mutex.h"

namespace relu::load {

WindowCollector::WindowCollector(int workers) : workers_(workers) {
  for (int i = 0; i < workers; ++i) {
    sinks_.emplace_back(*this);
  }
}

std::optional<Measurements> WindowCollector::NextWindow() {
  const MutexLock lock(mu_);
  // Workers that have ended hand on no more windows.
  while (ended_ < workers_ &&
         (windows_.empty() || windows_.front().workers < workers_)) {
    changed_.Wait(mu_);
  }
  if (windows_.empty()) {
    return std::nullopt;
  }
  std::optional<Measurements> window = std::move(windows_.front().sum);
  windows_.pop_front();
  ++taken_;
  return window;
}

Measurements WindowCollector::tail() const {
  const MutexLock lock(mu_);
  return tail_;
}

void WindowCollector::Add(std::size_t index, const Measurements& window) {
  {
    const MutexLock lock(mu_);
    while (taken_ + windows_.size() <= index) {
      windows_.emplace_back();
    }
    Window& sum = windows_[index - taken_];
    // The workers measure side by side.
    const auto length = std::max(sum.sum.length, window.length);
    sum.sum.Add(window);
    sum.sum.length = length;
    ++sum.workers;
  }
  changed_.NotifyAll();
}

void WindowCollector::End(const Measurements& tail) {
  {
    const MutexLock lock(mu_);
    tail_.Add(tail);
    tail_.length = std::chrono::nanoseconds(0);
    ++ended_;
  }
  changed_.NotifyAll();
}

}  // namespace relu::load
