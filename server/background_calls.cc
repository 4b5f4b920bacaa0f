#include "server/background_calls.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/in_flight_bytes.h"
#include "core/base/mutex.h"
#include "fmt/format.h"
#include "server/rpc_table.h"

namespace relu {
namespace {

using Clock = std::chrono::steady_clock;

// When to come again if there are as many calls as may wait: a few have had
// their turn by then, however much they ask for.
constexpr std::chrono::milliseconds kPushback{1000};

absl::Status Expired() {
  return absl::DeadlineExceededError(
      "the deadline passed while the call waited");
}

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
  absl::Status status = call->held.Hold(request.size());
  if (status.ok()) {
    call->request = request;
    status = Enqueue(call);
  } else {
    status = WithPushback(std::move(status), kBytesPushback);
  }
  if (!status.ok()) {
    call->answer(std::move(status));
    return {};
  }
  changed_.NotifyOne();
  return [this, call] { Cancel(call); };
}

void BackgroundCalls::EndExpired() {
  const Clock::time_point now = Clock::now();
  std::vector<std::shared_ptr<Call>> expired;
  {
    const MutexLock lock(mu_);
    if (waiting_.size() < kMaxWaiting) {
      return;
    }
    std::erase_if(waiting_, [&](const std::shared_ptr<Call>& call) {
      const bool is_expired = call->deadline <= now;
      if (is_expired) {
        expired.push_back(call);
      }
      return is_expired;
    });
  }
  for (const auto& call : expired) {
    call->answer(Expired());
    call->held.LetGo();
  }
}

absl::Status BackgroundCalls::Enqueue(std::shared_ptr<Call> call) {
  EndExpired();
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
  call->held.LetGo();
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
    call->answer(Clock::now() < call->deadline ? call->handler(call->request)
                                               : Expired());
    call->held.LetGo();
  }
}

}  // namespace relu
