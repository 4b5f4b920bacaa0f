#include "client/load/worker.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "client/load/arrivals.h"
#include "client/load/call.h"
#include "client/load/measurements.h"
#include "client/load/transport.h"

namespace relu::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// After so many starts a worker looks for answers: else it would see them late
// when many calls are due at once.
constexpr int kStartsInTurn = 64;
// How soon a worker sees that it is to stop.
constexpr milliseconds kLongestSleep(50);

nanoseconds ThreadCpuTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

// `time` + `duration`, or the end of time.
TimePoint Later(TimePoint time, nanoseconds duration) {
  return duration > TimePoint::max() - time ? TimePoint::max()
                                            : time + duration;
}

}  // namespace

Worker::Worker(const WorkerPlan& plan, Transport& transport, WindowSink& sink,
               const std::function<bool()>& stopped)
    : plan_(plan),
      transport_(transport),
      sink_(sink),
      stopped_(stopped),
      closed_(std::get_if<ClosedLoop>(&plan.loop)),
      requests_(*plan.mix, plan.share, plan.seed),
      measure_start_(plan.start + plan.warm_up),
      measure_end_(Later(measure_start_, plan.duration)),
      give_up_(Later(measure_end_, plan.timeout)),
      window_(plan.mix->size()),
      window_start_(measure_start_) {
  if (const auto* const open = std::get_if<OpenLoop>(&plan.loop)) {
    arrivals_ = open->arrivals;
    max_in_flight_ = open->max_in_flight;
  }
}

void Worker::Run() {
  std::vector<Call*> over;
  while (true) {
    const TimePoint now = transport_.Now();
    if (stopped_()) {
      measure_end_ = std::min(measure_end_, now);
      give_up_ = measure_end_;
    }
    HandOnWindows(now);
    if (IsDone(now)) {
      break;
    }
    if (closed_ != nullptr) {
      StartClosed(now);
    } else {
      StartOpen(now);
    }
    transport_.Wait(NextWake(now), over);
    const TimePoint after = transport_.Now();
    for (Call* const call : over) {
      Finish(static_cast<Slot&>(*call), after);
    }
    over.clear();
    GiveUp(after);
  }
  CountUnsent();
  sink_.OnEnd(window_);
}

bool Worker::MayStart(TimePoint intended) const {
  return intended < measure_end_ &&
         measured_calls_ < plan_.calls.value_or(UINT64_MAX);
}

void Worker::StartClosed(TimePoint now) {
  const auto concurrency = static_cast<std::size_t>(closed_->concurrency);
  while (in_flight_.size() < concurrency && MayStart(now)) {
    StartCall(now, now, /*connection=*/-1);
  }
}

void Worker::FetchArrival() {
  if (next_arrival_.has_value() || arrivals_over_) {
    return;
  }
  const auto time = arrivals_->Next();
  if (time.has_value()) {
    next_arrival_ = plan_.start + *time;
  } else {
    arrivals_over_ = true;
  }
}

std::optional<TimePoint> Worker::TakeArrival(TimePoint now) {
  FetchArrival();
  if (!next_arrival_.has_value() || *next_arrival_ > now ||
      !MayStart(*next_arrival_)) {
    return std::nullopt;
  }
  return std::exchange(next_arrival_, std::nullopt);
}

void Worker::StartOpen(TimePoint now) {
  for (int i = 0; i < kStartsInTurn && in_flight_.size() < max_in_flight_ &&
                  now <= give_up_;
       ++i) {
    const auto intended = TakeArrival(now);
    if (!intended.has_value()) {
      break;
    }
    StartCall(*intended, now, /*connection=*/-1);
  }
  FetchArrival();  // To wake up for it.
}

void Worker::StartCall(TimePoint intended, TimePoint now, int connection) {
  if (free_.empty()) {
    free_.emplace_front();
    free_.front().self = free_.begin();
  }
  in_flight_.splice(in_flight_.end(), free_, free_.begin());
  Slot& slot = in_flight_.back();
  slot.request = &requests_.Next();
  slot.intended = intended;
  slot.connection = connection;
  slot.sent = now;
  slot.code = absl::StatusCode::kOk;
  slot.error.clear();
  slot.mismatch = false;
  slot.answer_bytes = 0;
  slot.expires = Later(now, plan_.timeout);
  measured_calls_ += IsMeasured(intended) ? 1U : 0U;
  window_.sent += IsMeasured(now) ? 1U : 0U;
  transport_.Start(slot);
}

void Worker::Finish(Slot& slot, TimePoint now) {
  const bool good = slot.code == absl::StatusCode::kOk && !slot.mismatch;
  if (good && IsMeasured(slot.answered)) {
    ++window_.answered;
    window_.rows += static_cast<std::uint64_t>(slot.request->rows);
  }
  if (IsMeasured(slot.intended)) {
    window_.Record(slot);
  }
  free_.splice(free_.begin(), in_flight_, slot.self);
  // Where it went, the next goes: so that connections are equally loaded.
  if (closed_ != nullptr && MayStart(slot.answered)) {
    StartCall(slot.answered, now, slot.connection);
  }
}

void Worker::GiveUp(TimePoint now) {
  while (!in_flight_.empty() && in_flight_.front().expires <= now) {
    Slot& slot = in_flight_.front();
    transport_.Cancel(slot);
    slot.answered = now;
    slot.code = absl::StatusCode::kDeadlineExceeded;
    slot.error = "no answer within the timeout";
    window_.timeouts += IsMeasured(slot.intended) ? 1U : 0U;
    Finish(slot, now);
  }
}

void Worker::RememberTotals() {
  cpu_before_ = ThreadCpuTime();
  bytes_sent_before_ = transport_.bytes_sent();
  bytes_received_before_ = transport_.bytes_received();
}

void Worker::HandOnWindows(TimePoint now) {
  if (!measuring_ && now >= measure_start_) {
    measuring_ = true;
    RememberTotals();
  }
  if (!measuring_ || windows_over_) {
    return;
  }
  while (true) {
    const TimePoint end =
        std::min(Later(window_start_, plan_.window), measure_end_);
    if (now < end) {
      return;
    }
    if (end > window_start_) {
      HandOn(end);
    }
    if (end == measure_end_) {
      windows_over_ = true;
      return;
    }
  }
}

void Worker::HandOn(TimePoint end) {
  window_.length = end - window_start_;
  const nanoseconds cpu = ThreadCpuTime();
  window_.cpu = cpu - cpu_before_;
  window_.bytes_sent = transport_.bytes_sent() - bytes_sent_before_;
  window_.bytes_received = transport_.bytes_received() - bytes_received_before_;
  sink_.OnWindow(window_index_++, window_);
  window_start_ = end;
  window_.Clear();
  RememberTotals();
}

TimePoint Worker::NextWake(TimePoint now) const {
  TimePoint wake = Later(now, kLongestSleep);
  const auto at = [&wake](TimePoint time) { wake = std::min(wake, time); };
  if (!measuring_) {
    at(measure_start_);
  } else if (!windows_over_) {
    at(std::min(Later(window_start_, plan_.window), measure_end_));
  }
  if (next_arrival_.has_value() && in_flight_.size() < max_in_flight_ &&
      MayStart(*next_arrival_) && now <= give_up_) {
    at(*next_arrival_);
  }
  if (!in_flight_.empty()) {
    at(in_flight_.front().expires);
  }
  return wake;
}

bool Worker::IsDone(TimePoint now) {
  if (!in_flight_.empty()) {
    return false;
  }
  const bool due =
      next_arrival_.has_value() && MayStart(*next_arrival_) && now <= give_up_;
  if (now >= measure_end_) {
    return !due;
  }
  const bool all_started = measured_calls_ >= plan_.calls.value_or(UINT64_MAX);
  if (all_started || (arrivals_over_ && !next_arrival_.has_value())) {
    // The run ends with its last answer.
    measure_end_ = now;
    HandOnWindows(now);
    return true;
  }
  return false;
}

void Worker::CountUnsent() {
  if (closed_ != nullptr) {
    return;
  }
  while (const auto arrival = TakeArrival(TimePoint::max())) {
    window_.unsent += IsMeasured(*arrival) ? 1U : 0U;
  }
}

}  // namespace relu::load
