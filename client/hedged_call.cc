#include "client/hedged_call.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"

#include "client/call_queue.h"
#include "client/channels.h"
#include "client/client_options.h"
#include "client/retry_budget.h"
#include "client/unary_call.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

// What another server may answer better.
bool MayBeSentAgain(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE;
}

// Runs on the queue's thread but for Begin(), which touches nothing once the
// first send is under way. Lives until its last event.
class Hedging : public std::enable_shared_from_this<Hedging> {
 public:
  Hedging(Channels& channels, CallQueue& queue, RetryBudget& budget,
          const HedgingOptions& options, const CallSetting& setting,
          grpc::ByteBuffer request, absl::AnyInvocable<void(UnaryAnswer)> done)
      : channels_(channels),
        queue_(queue),
        budget_(budget),
        options_(options),
        setting_(setting),
        request_(std::move(request)),
        done_(std::move(done)) {}

  void Begin() {
    // The first send is made ready before the timer can fire.
    UnaryCall& first = AddSend();
    if (options_.max_attempts > 1) {
      SetTimer(options_.delay);
    }
    first.Start(request_, queue_);
  }

 private:
  UnaryCall& AddSend() {
    CallSetting setting = setting_;
    setting.attempts_before = static_cast<int>(sends_.size());
    ++running_;
    sends_.push_back(std::make_unique<UnaryCall>(
        channels_.Next(/*retries=*/false), setting,
        [self = shared_from_this()](UnaryAnswer answer) {
          self->OnAnswer(std::move(answer));
        }));
    return *sends_.back();
  }

  void SetTimer(milliseconds delay) {
    timers_.push_back(std::make_unique<QueueTimer>(
        [self = shared_from_this(), index = timers_.size()](bool fired) {
          if (fired && self->timer_ == index) {
            self->timer_.reset();
            self->SendAgain();
          }
        }));
    timer_ = timers_.size() - 1;
    timers_.back()->Start(delay, queue_);
  }

  void ClearTimer() {
    if (timer_.has_value()) {
      timers_[*timer_]->Cancel();
      timer_.reset();
    }
  }

  bool MaySend() const {
    return done_ != nullptr && !refused_ &&
           sends_.size() < static_cast<std::size_t>(options_.max_attempts) &&
           budget_.Allows();
  }

  // It is time for another send, if it may be.
  void SendAgain() {
    if (!MaySend()) {
      FinishIfAlone();
      return;
    }
    UnaryCall& next = AddSend();
    if (sends_.size() < static_cast<std::size_t>(options_.max_attempts)) {
      SetTimer(options_.delay);
    }
    next.Start(request_, queue_);
  }

  void OnAnswer(UnaryAnswer answer) {
    --running_;
    if (done_ == nullptr) {
      return;  // Another was first; this one was cancelled.
    }
    if (!MayBeSentAgain(answer.status)) {
      budget_.OnSuccess();
      Finish(std::move(answer));
      return;
    }
    budget_.OnFailure();
    const std::optional<milliseconds> pushback = answer.pushback;
    last_failure_ = std::move(answer);
    ClearTimer();
    refused_ = refused_ || pushback.value_or(milliseconds(0)) < milliseconds(0);
    if (pushback.has_value() && MaySend()) {
      SetTimer(*pushback);
    } else {
      SendAgain();
    }
  }

  // Nothing is left that could bring a better answer.
  void FinishIfAlone() {
    if (done_ != nullptr && running_ == 0 && !timer_.has_value()) {
      Finish(*std::move(last_failure_));
    }
  }

  void Finish(UnaryAnswer answer) {
    ClearTimer();
    for (const auto& send : sends_) {
      send->Cancel();
    }
    auto done = std::move(done_);
    done_ = nullptr;
    done(std::move(answer));
  }

  Channels& channels_;
  CallQueue& queue_;
  RetryBudget& budget_;
  const HedgingOptions options_;
  const CallSetting setting_;
  const grpc::ByteBuffer request_;
  absl::AnyInvocable<void(UnaryAnswer)> done_;  // Empty once it has run.
  std::vector<std::unique_ptr<UnaryCall>> sends_;
  std::vector<std::unique_ptr<QueueTimer>> timers_;
  std::optional<std::size_t> timer_;  // The one that is set.
  bool refused_ = false;              // The server wants no more sends.
  int running_ = 0;                   // Sends without an answer.
  std::optional<UnaryAnswer> last_failure_;
};

}  // namespace

void StartHedgedCall(Channels& channels, CallQueue& queue, RetryBudget& budget,
                     const HedgingOptions& options, const CallSetting& setting,
                     grpc::ByteBuffer request,
                     absl::AnyInvocable<void(UnaryAnswer)> done) {
  std::make_shared<Hedging>(channels, queue, budget, options, setting,
                            std::move(request), std::move(done))
      ->Begin();
}

}  // namespace relu
