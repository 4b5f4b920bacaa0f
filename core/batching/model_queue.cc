#include "core/batching/model_queue.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"

#include "core/base/check.h"
#include "core/batching/batching_options.h"
#include "core/batching/inference_request.h"

namespace relu {
namespace {

using Clock = InferenceRequest::Clock;
using std::chrono::milliseconds;
using Seconds = std::chrono::duration<double>;

constexpr milliseconds kLongestPushback{10'000};
// The weight of a new value in the running average of the pace, and what it
// counts at most, in terms of the average before it: one batch that the host
// has stalled is not the pace of all that wait.
constexpr double kPaceWeight = 1.0 / 4;
constexpr double kMostPaceGrowth = 4;

// When to come again, if what is in the way takes `wait`. At least a
// millisecond: 0 would mean at once.
milliseconds Pushback(Clock::duration wait) {
  return std::clamp(std::chrono::ceil<milliseconds>(wait), milliseconds(1),
                    kLongestPushback);
}

// Preferred sizes that a batch can have.
BatchingOptions Usable(BatchingOptions options, std::int64_t max_batch_rows) {
  std::erase_if(options.preferred_batch_size,
                [=](std::int64_t rows) { return rows > max_batch_rows; });
  std::ranges::sort(options.preferred_batch_size);
  return options;
}

SchedulerOptions WithUsableSizes(SchedulerOptions options) {
  options.batching =
      Usable(std::move(options.batching), options.max_batch_rows);
  return options;
}

}  // namespace

ModelQueue::ModelQueue(const SchedulerOptions& options, BatchRun run)
    : options_(WithUsableSizes(options)),
      run_(std::move(run)),
      waiting_(options.batching, options.limits),
      cost_(std::max<std::int64_t>(options.max_batch_rows, 1)),
      slots_(static_cast<std::size_t>(options.slots)) {
  CHECK(options.slots >= 1);
  CHECK(options.max_batch_rows >= 1);
}

Rejection ModelQueue::Admit(InferenceRequest& request, Clock::time_point now,
                            int threads) const {
  CHECK(!options_.keeps_requests_whole ||
        request.rows <= options_.max_batch_rows);
  waiting_.Prepare(request, now);
  request.retry_pushback = milliseconds(0);
  if (closed_) {
    return Rejection::kClosed;
  }
  if (request.cancelled.load(std::memory_order_relaxed)) {
    return Rejection::kCancelled;
  }
  const Clock::time_point drop_at = request.progress.drop_at;
  if (drop_at <= now) {
    return Rejection::kExpired;
  }
  const Rejection full = waiting_.Check(request);
  if (full != Rejection::kNone) {
    request.retry_pushback = PushbackWhenFull(threads);
    return full;
  }
  // What starts at once is not refused, whatever it takes: else a cost that was
  // measured too high would never be measured again.
  if (waiting_.size() == 0 && busy_slots_ < options_.slots) {
    return Rejection::kNone;
  }
  const Clock::duration wait =
      WaitFor(waiting_.RowsUpTo(request.progress.level), threads);
  if (wait > options_.max_queue_time) {
    request.retry_pushback = Pushback(wait / 2);
    return Rejection::kQueueTime;
  }
  const Clock::duration late = wait + cost_.Of(request.rows) - (drop_at - now);
  if (drop_at != Clock::time_point::max() && late > Clock::duration(0)) {
    request.retry_pushback = Pushback(late);
    return Rejection::kDeadline;
  }
  return Rejection::kNone;
}

milliseconds ModelQueue::PushbackWhenFull(int threads) const {
  // By then half of what waits has gone.
  return Pushback(WaitFor(waiting_.rows(), threads) / 2);
}

void ModelQueue::Add(InferenceRequest& request) {
  waiting_.Add(request);
  if (options_.batching.preserve_ordering) {
    (first_answer_ == nullptr ? first_answer_
                              : last_answer_->progress.next_answer) = &request;
    last_answer_ = &request;
  }
}

InferenceRequest* ModelQueue::PopAnswer() {
  InferenceRequest* const first = first_answer_;
  if (first == nullptr || !first->progress.answer_ready) {
    return nullptr;
  }
  first_answer_ = first->progress.next_answer;
  return first;
}

bool ModelQueue::Ready(Clock::time_point now) const {
  return waiting_.size() > 0 && busy_slots_ < options_.slots &&
         (options_.batching.max_queue_delay.count() == 0 || closed_ ||
          waiting_.rows() >= CompleteRows() || CompanyDeadline() <= now);
}

Clock::time_point ModelQueue::NextEvent(Clock::time_point now) const {
  const bool waits = options_.batching.max_queue_delay.count() > 0 &&
                     waiting_.size() > 0 && busy_slots_ < options_.slots &&
                     !Ready(now);
  return waits ? std::min(waiting_.next_expiry(), CompanyDeadline())
               : waiting_.next_expiry();
}

void ModelQueue::Remove(InferenceRequest& request) {
  waiting_.Remove(request);
  ForgetPaceIfEmpty();
}

InferenceRequest* ModelQueue::PopExpired(Clock::time_point now) {
  InferenceRequest* const expired = waiting_.PopExpired(now);
  ForgetPaceIfEmpty();
  return expired;
}

Clock::duration ModelQueue::NextCost() const {
  return cost_.Of(std::min(waiting_.rows(), options_.max_batch_rows));
}

Clock::time_point ModelQueue::CompanyDeadline() const {
  const Clock::duration cost = NextCost();
  Clock::time_point deadline = Clock::time_point::max();
  // While they wait for company they are few: all rows make less than a batch.
  for (const InferenceRequest* request = waiting_.first(); request != nullptr;
       request = waiting_.After(*request)) {
    deadline = std::min(deadline,
                        request->queued_at + options_.batching.max_queue_delay);
    if (request->progress.drop_at != Clock::time_point::max()) {
      // Half of the time to spare: a thread has to wake up, and the answer to
      // get to its client.
      const Clock::duration spare =
          request->progress.drop_at - request->queued_at - cost;
      deadline = std::min(deadline, request->queued_at + spare / 2);
    }
  }
  return deadline;
}

std::int64_t ModelQueue::CompleteRows() const {
  const auto& preferred = options_.batching.preferred_batch_size;
  return preferred.empty() ? options_.max_batch_rows : preferred.front();
}

std::int64_t ModelQueue::ChooseRows(Clock::time_point now) {
  const std::int64_t rows = std::min(waiting_.rows(), options_.max_batch_rows);
  const BatchingOptions& batching = options_.batching;
  if (batching.preferred_batch_size.empty()) {
    return cost_.BestRows(rows);
  }
  const bool delayed =
      batching.max_queue_delay.count() > 0 && CompanyDeadline() <= now;
  std::int64_t best = rows;
  if (!delayed) {
    for (const std::int64_t preferred : batching.preferred_batch_size) {
      best = preferred <= rows ? preferred : best;
    }
  }
  return best;
}

int ModelQueue::Take(Clock::time_point now) {
  MeasurePace(now);
  const auto slot = std::ranges::find(slots_, false, &Slot::busy);
  CHECK(slot != slots_.end());
  slot->busy = true;
  ++busy_slots_;
  slot->batch.clear();
  slot->rows = 0;
  const std::int64_t wanted =
      options_.keeps_requests_whole ? waiting_.first()->rows : ChooseRows(now);
  while (slot->rows < wanted) {
    InferenceRequest& request = *waiting_.first();
    const std::int64_t first_row = request.progress.rows_taken;
    const std::int64_t rows =
        std::min(request.rows - first_row, wanted - slot->rows);
    if (first_row == 0) {
      request.started_at = now;
    }
    waiting_.Take(rows);
    slot->batch.push_back({.request = &request,
                           .first_row = first_row,
                           .rows = rows,
                           .status = absl::OkStatus()});
    slot->rows += rows;
  }
  for (const BatchSlice& slice : slot->batch) {
    slice.request->largest_batch_rows =
        std::max(slice.request->largest_batch_rows, slot->rows);
  }
  slot->expected_cost = cost_.Of(slot->rows);
  virtual_time_ += slot->expected_cost;
  last_take_ = now;
  last_take_rows_ = slot->rows;
  ForgetPaceIfEmpty();
  return static_cast<int>(slot - slots_.begin());
}

void ModelQueue::Release(int slot, Clock::duration cost) {
  Slot& released = slots_[static_cast<std::size_t>(slot)];
  cost_.Note(released.rows, cost);
  virtual_time_ += cost - released.expected_cost;
  released.busy = false;
  --busy_slots_;
}

void ModelQueue::CatchUp(Clock::duration virtual_time) {
  virtual_time_ = std::max(virtual_time_, virtual_time);
}

Clock::duration ModelQueue::WaitFor(std::int64_t rows, int threads) const {
  const int shared = std::max(1, std::min(threads, options_.slots));
  const double by_cost =
      Seconds(cost_.Of(rows)).count() / static_cast<double>(shared);
  const double by_pace = seconds_per_row_ * static_cast<double>(rows);
  return std::chrono::duration_cast<Clock::duration>(
      Seconds(std::max(by_cost, by_pace)));
}

void ModelQueue::ForgetPaceIfEmpty() {
  if (waiting_.size() == 0) {
    last_take_rows_ = 0;
    seconds_per_row_ = 0;
  }
}

void ModelQueue::MeasurePace(Clock::time_point now) {
  if (last_take_rows_ == 0) {
    return;
  }
  const auto rows = static_cast<double>(last_take_rows_);
  const double pace = Seconds(now - last_take_).count() / rows;
  const double expected =
      seconds_per_row_ > 0 ? seconds_per_row_
                           : Seconds(cost_.Of(last_take_rows_)).count() / rows;
  if (expected == 0) {
    seconds_per_row_ = pace;
    return;
  }
  const double counted = std::min(pace, kMostPaceGrowth * expected);
  seconds_per_row_ = expected + kPaceWeight * (counted - expected);
}

bool DropRest(InferenceRequest& request, Rejection why) {
  InferenceRequest::Progress& progress = request.progress;
  request.rejection = why;
  progress.rows_finished += request.rows - progress.rows_taken;
  progress.rows_taken = request.rows;
  return progress.rows_finished == request.rows;
}

}  // namespace relu
