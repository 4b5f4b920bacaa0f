#include "tests/client/load/virtual_transport.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "fmt/format.h"

namespace relu::load {

void VirtualTransport::Start(Call& call) {
  call.sent = now_;
  pending_.push_back({.call = &call, .answer = answer_(call)});
  ++started_;
  most_in_flight_ = std::max(most_in_flight_, pending_.size());
}

void VirtualTransport::Cancel(Call& call) {
  CHECK(std::erase_if(pending_, [&call](const Pending& pending) {
          return pending.call == &call;
        }) == 1);
}

void VirtualTransport::Wait(TimePoint until, std::vector<Call*>& over) {
  TimePoint next = std::max(until, now_);
  for (const Pending& pending : pending_) {
    next = std::min(next, std::max(pending.answer.at, now_));
  }
  now_ = next;
  std::erase_if(pending_, [&](const Pending& pending) {
    if (pending.answer.at > now_) {
      return false;
    }
    pending.call->answered = now_;
    pending.call->code = pending.answer.code;
    pending.call->mismatch = pending.answer.mismatch;
    pending.call->error = "made up";
    over.push_back(pending.call);
    ++answered_;
    return true;
  });
}

std::function<VirtualAnswer(const Call&)> AfterDelay(
    std::chrono::nanoseconds delay) {
  return [delay](const Call& call) {
    return VirtualAnswer{.at = call.sent + delay};
  };
}

Mix SimpleMix(std::size_t models) {
  Mix mix(models);
  for (std::size_t i = 0; i < models; ++i) {
    mix[i].name = fmt::format("model{}", i);
    mix[i].requests = {Request{.message = {}, .rows = 2, .model = i}};
  }
  return mix;
}

}  // namespace relu::load
