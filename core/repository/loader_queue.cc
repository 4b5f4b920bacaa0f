#include "core/repository/loader_queue.h"

#include <chrono>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/mutex.h"
#include "core/repository/model.h"
#include "fmt/format.h"

namespace relu {
namespace {

absl::Status ShuttingDown() {
  return absl::UnavailableError(
      "server is shutting down: it loads and unloads no more models");
}

}  // namespace

void LoaderQueue::Push(ControlCommand command) {
  absl::Status refused;
  {
    const MutexLock lock(mu_);
    if (closed_) {
      refused = ShuttingDown();
    } else if (commands_.size() >= kMaxCommands) {
      refused = absl::ResourceExhaustedError(fmt::format(
          "{} loads and unloads of models wait already", kMaxCommands));
    } else {
      commands_.push_back(std::move(command));
      changed_.NotifyAll();
    }
  }
  if (!refused.ok()) {
    command.done(refused);
  }
}

void LoaderQueue::Retire(std::unique_ptr<Model> model) {
  const MutexLock lock(mu_);
  if (!finished_) {
    retired_.push_back(std::move(model));
    changed_.NotifyAll();
  }
}

std::vector<std::unique_ptr<Model>> LoaderQueue::TakeRetired() {
  const MutexLock lock(mu_);
  return std::exchange(retired_, {});
}

LoaderQueue::Work LoaderQueue::Wait(
    std::chrono::steady_clock::time_point until) {
  Work work;
  const MutexLock lock(mu_);
  while (commands_.empty() && retired_.empty() && !closed_ &&
         changed_.WaitUntil(mu_, until)) {
  }
  work.retired.swap(retired_);
  work.closed = closed_;
  if (!commands_.empty()) {
    work.command = std::move(commands_.front());
    commands_.pop_front();
  }
  return work;
}

void LoaderQueue::Close() {
  std::deque<ControlCommand> refused;
  {
    const MutexLock lock(mu_);
    closed_ = true;
    refused.swap(commands_);
    changed_.NotifyAll();
  }
  for (ControlCommand& command : refused) {
    command.done(ShuttingDown());
  }
}

std::vector<std::unique_ptr<Model>> LoaderQueue::Finish() {
  const MutexLock lock(mu_);
  finished_ = true;
  return std::exchange(retired_, {});
}

}  // namespace relu
