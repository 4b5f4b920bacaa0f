#include "server/arrived_calls.h"

#include <algorithm>
#include <vector>

#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "server/infer_call.h"

namespace relu {
namespace {

// The object whose Run() is on this thread's stack: a scheduler calls back
// without saying on whose thread it is.
thread_local ArrivedCalls* running = nullptr;

}  // namespace

void ArrivedCalls::Run() {
  running = this;
  for (InferCall* call : arrived_) {
    (call->Prepare() ? prepared_ : answered_).push_back(call);
  }
  arrived_.clear();
  SendAnswers();
  while (!prepared_.empty()) {
    SubmitFirstModel();
  }
  SendAnswers();
  running = nullptr;
}

void ArrivedCalls::Answer(InferCall& call) {
  if (running == nullptr) {
    call.Send();
  } else {
    running->Cork(call);
  }
}

void ArrivedCalls::SubmitFirstModel() {
  Scheduler& scheduler = prepared_.front()->scheduler();
  const auto rest = std::stable_partition(
      prepared_.begin(), prepared_.end(),
      [&](InferCall* call) { return &call->scheduler() == &scheduler; });
  requests_.clear();
  for (auto call = prepared_.begin(); call != rest; ++call) {
    requests_.push_back(&(*call)->inference());
  }
  prepared_.erase(prepared_.begin(), rest);
  scheduler.Submit(requests_);
}

void ArrivedCalls::Cork(InferCall& call) {
  // This thread may go on with batches of requests that others brought: the
  // answers of the batch before then wait no longer.
  if (!answered_.empty() && answered_.back()->inference().finished_at !=
                                call.inference().finished_at) {
    SendAnswers();
  }
  answered_.push_back(&call);
}

void ArrivedCalls::SendAnswers() {
  for (InferCall* call : answered_) {
    call->Send();
  }
  answered_.clear();
}

}  // namespace relu
