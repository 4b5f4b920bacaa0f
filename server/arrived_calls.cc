#include "server/arrived_calls.h"

#include "core/batching/dispatcher.h"
#include "server/infer_call.h"

namespace relu {
namespace {

// The object whose Run() is on this thread's stack: a scheduler calls back
// without saying on whose thread it is.
thread_local ArrivedCalls* running = nullptr;

}  // namespace

bool ArrivedCalls::Run(Dispatcher::Worker& worker) {
  running = this;
  requests_.clear();
  for (InferCall* call : arrived_) {
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
  SendAnswers();
  running = nullptr;
  return more;
}

void ArrivedCalls::Answer(InferCall& call) {
  if (running == nullptr) {
    call.Send();
  } else {
    running->answered_.push_back(&call);
  }
}

void ArrivedCalls::SendAnswers() {
  for (InferCall* call : answered_) {
    call->Send();
  }
  answered_.clear();
}

}  // namespace relu
