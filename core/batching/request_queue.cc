#include "core/batching/request_queue.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/base/check.h"
#include "core/batching/batching_options.h"
#include "core/batching/inference_request.h"

namespace relu {
namespace {

// Longer timeouts are none, and must not overflow the clock.
constexpr std::chrono::microseconds kLongestTimeout = std::chrono::hours(8760);

// How long `request` may wait by this policy; 0: no limit.
std::chrono::microseconds Timeout(const QueuePolicy& policy,
                                  const InferenceRequest& request) {
  std::chrono::microseconds timeout = policy.default_timeout;
  const bool shorter = timeout.count() == 0 || request.timeout < timeout;
  if (policy.allow_timeout_override && request.timeout.count() > 0 && shorter) {
    timeout = request.timeout;
  }
  return timeout > kLongestTimeout ? std::chrono::microseconds(0) : timeout;
}

}  // namespace

RequestQueue::RequestQueue(const BatchingOptions& options,
                           const QueueLimits& limits)
    : max_bytes_(limits.max_bytes),
      default_level_(options.default_priority_level - 1) {
  CHECK(options.priority_levels >= 1);
  CHECK(options.default_priority_level >= 1 &&
        options.default_priority_level <= options.priority_levels);
  for (std::size_t i = 1; i <= options.priority_levels; ++i) {
    const auto own = options.priority_queue_policy.find(i);
    Level& level = levels_.emplace_back();
    level.policy = own == options.priority_queue_policy.end()
                       ? options.default_queue_policy
                       : own->second;
    level.max_requests = level.policy.max_queue_size > 0
                             ? level.policy.max_queue_size
                             : limits.max_requests;
  }
}

std::size_t RequestQueue::LevelOf(const InferenceRequest& request) const {
  return request.priority == 0 || request.priority > levels_.size()
             ? default_level_
             : static_cast<std::size_t>(request.priority) - 1;
}

void RequestQueue::Prepare(InferenceRequest& request,
                           Clock::time_point now) const {
  InferenceRequest::Progress& progress = request.progress;
  progress.level = LevelOf(request);
  progress.drop_at = request.deadline;
  const QueuePolicy& policy = levels_[progress.level].policy;
  const std::chrono::microseconds timeout = Timeout(policy, request);
  if (timeout.count() > 0) {
    Clock::time_point& end =
        policy.timeout_action == QueuePolicy::TimeoutAction::kReject
            ? progress.drop_at
            : progress.delay_from;
    end = std::min(end, now + timeout);
  }
  progress.expiry = std::min(progress.drop_at, progress.delay_from);
}

Rejection RequestQueue::Check(const InferenceRequest& request) const {
  const Level& level = levels_[request.progress.level];
  if (level.waiting.size() + level.delayed.size() >= level.max_requests) {
    return Rejection::kQueueRequests;
  }
  if (size_ > 0 && bytes_ + request.bytes > max_bytes_) {
    return Rejection::kQueueBytes;
  }
  return Rejection::kNone;
}

bool RequestQueue::Holds(const InferenceRequest& request) const {
  if (request.progress.list == nullptr) {
    return false;  // Its level may be that of another queue.
  }
  const Level& level = levels_[request.progress.level];
  return level.waiting.Holds(request) || level.delayed.Holds(request);
}

void RequestQueue::Add(InferenceRequest& request) {
  Level& level = levels_[request.progress.level];
  level.waiting.PushBack(request);
  level.rows += request.rows;
  rows_ += request.rows;
  bytes_ += request.bytes;
  ++size_;
  expiries_.Add(request);
}

void RequestQueue::Remove(InferenceRequest& request) {
  const std::int64_t rest = request.rows - request.progress.rows_taken;
  levels_[request.progress.level].rows -= rest;
  rows_ -= rest;
  Leave(request);
}

void RequestQueue::Take(std::int64_t rows) {
  InferenceRequest& request = *first();
  request.progress.rows_taken += rows;
  levels_[request.progress.level].rows -= rows;
  rows_ -= rows;
  if (request.progress.rows_taken == request.rows) {
    Leave(request);
  }
}

InferenceRequest* RequestQueue::PopExpired(Clock::time_point now) {
  while (expiries_.next() <= now) {
    InferenceRequest& request = expiries_.first();
    if (request.progress.drop_at <= now) {
      Remove(request);
      return &request;
    }
    Delay(request);
  }
  return nullptr;
}

InferenceRequest* RequestQueue::first() const {
  for (const Level& level : levels_) {
    if (!level.waiting.empty()) {
      return level.waiting.front();
    }
    if (!level.delayed.empty()) {
      return level.delayed.front();
    }
  }
  return nullptr;
}

InferenceRequest* RequestQueue::After(const InferenceRequest& request) const {
  if (InferenceRequest* next = RequestList::Next(request)) {
    return next;
  }
  const std::size_t own = request.progress.level;
  if (levels_[own].waiting.Holds(request) && !levels_[own].delayed.empty()) {
    return levels_[own].delayed.front();
  }
  for (std::size_t i = own + 1; i < levels_.size(); ++i) {
    const Level& level = levels_[i];
    if (!level.waiting.empty() || !level.delayed.empty()) {
      return (level.waiting.empty() ? level.delayed : level.waiting).front();
    }
  }
  return nullptr;
}

std::int64_t RequestQueue::RowsUpTo(std::size_t level) const {
  std::int64_t rows = 0;
  for (std::size_t i = 0; i <= level; ++i) {
    rows += levels_[i].rows;
  }
  return rows;
}

void RequestQueue::Delay(InferenceRequest& request) {
  InferenceRequest::Progress& progress = request.progress;
  expiries_.Remove(request);
  progress.delay_from = Clock::time_point::max();
  progress.expiry = progress.drop_at;
  expiries_.Add(request);
  Level& level = levels_[progress.level];
  level.waiting.Remove(request);
  level.delayed.PushBack(request);
}

void RequestQueue::Leave(InferenceRequest& request) {
  request.progress.list->Remove(request);
  expiries_.Remove(request);
  bytes_ -= request.bytes;
  --size_;
}

}  // namespace relu
