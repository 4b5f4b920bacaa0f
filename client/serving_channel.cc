#include "client/serving_channel.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "grpc/impl/codegen/connectivity_state.h"
#include "grpcpp/channel.h"

#include "client/call_queue.h"

namespace relu {

ServingChannel::ServingChannel(std::shared_ptr<grpc::Channel> checked,
                               std::shared_ptr<grpc::Channel> any)
    : checked_(std::move(checked)),
      any_(std::move(any)),
      known_(checked_ == nullptr) {}

const std::shared_ptr<grpc::Channel>& ServingChannel::Choose() {
  const bool serving =
      checked_ != nullptr &&
      checked_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY;
  return serving ? checked_ : any_;
}

std::optional<grpc_connectivity_state> ServingChannel::StateWhileUnknown() {
  if (known_.load(std::memory_order_relaxed)) {
    return std::nullopt;
  }
  const grpc_connectivity_state state =
      checked_->GetState(/*try_to_connect=*/true);
  if (state == GRPC_CHANNEL_IDLE || state == GRPC_CHANNEL_CONNECTING) {
    return state;
  }
  known_.store(true, std::memory_order_relaxed);
  return std::nullopt;
}

void ServingChannel::AwaitHealth(
    std::chrono::system_clock::time_point deadline) {
  while (const auto state = StateWhileUnknown()) {
    if (!checked_->WaitForStateChange(*state, deadline)) {
      return;
    }
  }
}

bool ServingChannel::HealthIsKnown(
    std::chrono::system_clock::time_point deadline, CallQueue& queue,
    QueueEvent& event) {
  const auto state = StateWhileUnknown();
  if (state.has_value()) {
    checked_->NotifyOnStateChange(*state, deadline, &queue.queue(),
                                  queue.TagOf(event));
  }
  return !state.has_value();
}

}  // namespace relu
