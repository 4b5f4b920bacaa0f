#include "server/arrived_calls.h"

#include <cstddef>
#include <optional>

#include "core/batching/dispatcher.h"
#include "core/repository/model_activity.h"
#include "server/arrived_call.h"
#include "server/corked_sends.h"

namespace relu {
namespace {

// The object whose Run() is on this thread's stack: a scheduler calls back
// without saying on whose thread it is.
thread_local ArrivedCalls* running = nullptr;

}  // namespace

bool ArrivedCalls::Run(Dispatcher::Worker& worker) {
  running = this;
  for (ArrivedCall* call : arrived_) {
    if (call->Prepare()) {
      requests_.push_back(&call->inference());
    } else {
      answered_.push_back(call);
    }
  }
  arrived_.clear();
  // Errors do not wait for batches.
  SendAnswers();
  const bool more = dispatcher_.Serve(worker, requests_);
  requests_.clear();
  SendAnswers();
  running = nullptr;
  ModelActivity::ProcessDue();
  return more;
}

void ArrivedCalls::Answer(ArrivedCall& call) {
  if (running == nullptr) {
    call.Send(nullptr);
  } else {
    running->answered_.push_back(&call);
  }
}

void ArrivedCalls::SendAnswers() {
  std::optional<CorkedSends> corked;
  if (answered_.size() > 1) {
    corked.emplace();
  }
  for (std::size_t i = 0; i < answered_.size(); ++i) {
    answered_[i]->Send(i + 1 < answered_.size() ? answered_[i + 1] : nullptr);
  }
  answered_.clear();
}

}  // namespace relu
