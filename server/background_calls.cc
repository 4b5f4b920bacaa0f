#include "server/background_calls.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"

#include "core/base/in_flight_bytes.h"
#include "core/base/mutex.h"
#include "fmt/format.h"
#include "server/rpc_table.h"

namespace relu {
namespace {

using Clock = std::chrono::steady_clock;

// When to come again if there are as many calls as may wait.
constexpr std::chrono::milliseconds kPushback{100};

}  // namespace

struct BackgroundCalls::Call {
  explicit Call(InFlightBytes* in_flight) : held(in_flight) {}

  Rpc::Handler handler;
  std::string request;
  Clock::time_point deadline;
  Rpc::Answer answer;
  HeldBytes held;
};

BackgroundCalls::BackgroundCalls(int threads, InFlightBytes* in_flight)
    : in_flight_(in_flight) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Loop(); });
  }
}

BackgroundCalls::~BackgroundCalls() {
  {
    const MutexLock lock(mu_);
    ending_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  for (const auto& call : waiting_) {
    call->answer(absl::UnavailableError("the server is shutting down"));
  }
}

Rpc::Cancel BackgroundCalls::Run(const Rpc::Handler& handler,
                                 std::string_view request,
                                 const Rpc::Caller& caller,
                                 Rpc::Answer answer) {
  auto call = std::make_shared<Call>(in_flight_);
  call->handler = handler;
  call->deadline = caller.deadline;
  call->answer = std::move(answer);
  absl::Status status =
      WithPushback(call->held.Hold(request.size()), kBytesPushback);
  if (status.ok()) {
    call->request = request;
    status = Enqueue(call);
  }
  if (!status.ok()) {
    call->answer(std::move(status));
    return {};
  }
  changed_.NotifyOne();
  return [this, call] { Cancel(call); };
}

absl::Status BackgroundCalls::Enqueue(std::shared_ptr<Call> call) {
  const MutexLock lock(mu_);
  if (waiting_.size() >= kMaxWaiting) {
    return WithPushback(
        absl::ResourceExhaustedError(fmt::format(
            "the server is overloaded: {} calls wait, as many as may",
            kMaxWaiting)),
        kPushback);
  }
  waiting_.push_back(std::move(call));
  return absl::OkStatus();
}

void BackgroundCalls::Cancel(const std::shared_ptr<Call>& call) {
  {
    const MutexLock lock(mu_);
    if (std::erase(waiting_, call) == 0) {
      return;  // It runs, or is over.
    }
  }
  call->answer(absl::CancelledError("the client has left"));
}

std::shared_ptr<BackgroundCalls::Call> BackgroundCalls::Next() {
  const MutexLock lock(mu_);
  while (waiting_.empty() && !ending_) {
    changed_.Wait(mu_);
  }
  if (ending_) {
    return nullptr;
  }
  std::shared_ptr<Call> call = std::move(waiting_.front());
  waiting_.pop_front();
  return call;
}

void BackgroundCalls::Loop() {
  while (const std::shared_ptr<Call> call = Next()) {
    call->answer(Clock::now() < call->deadline
                     ? call->handler(call->request)
                     : absl::DeadlineExceededError(
                           "the deadline passed while the call waited"));
    call->held.LetGo();
  }
}

}  // namespace relu
