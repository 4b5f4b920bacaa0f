#include "server/completion_worker.h"

#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

#include "grpc/support/time.h"
#include "grpcpp/completion_queue.h"

#include "server/generic_call.h"
#include "server/grpc_services.h"
#include "server/infer_call.h"
#include "server/queued_call.h"

namespace relu {
namespace {

// Calls that wait for clients: a burst of as many is taken at once.
constexpr std::size_t kArmedInferCalls = 64;
constexpr std::size_t kArmedGenericCalls = 4;

// What one round takes at most, so that the first of a burst does not wait for
// an endless one: a batch of the default size.
constexpr std::size_t kMaxBurst = 64;

}  // namespace

CompletionWorker::CompletionWorker(
    const GrpcServices& services,
    std::unique_ptr<grpc::ServerCompletionQueue> queue)
    : services_(services),
      queue_(std::move(queue)),
      infer_calls_(kArmedInferCalls,
                   [this] {
                     return std::make_unique<InferCall>(services_, *queue_,
                                                        infer_calls_, arrived_);
                   }),
      generic_calls_(kArmedGenericCalls, [this] {
        return std::make_unique<GenericCall>(services_, *queue_,
                                             generic_calls_);
      }) {}

CompletionWorker::~CompletionWorker() = default;

void CompletionWorker::Start() {
  infer_calls_.Arm();
  generic_calls_.Arm();
  thread_ = std::thread([this] { Loop(); });
}

void CompletionWorker::BeginShutdown() { stopping_ = true; }

void CompletionWorker::Join() {
  calls_over_.wait();
  queue_->Shutdown();
  thread_.join();
}

void CompletionWorker::Loop() {
  void* tag = nullptr;
  bool ok = false;
  bool over = false;
  while (queue_->Next(&tag, &ok)) {
    Dispatch(tag, ok);
    DrainReady();
    if (arrived_.size() > 0) {
      arrivals_.fetch_add(arrived_.size(), std::memory_order_relaxed);
      arrived_.Run();
    }
    if (!stopping_) {
      infer_calls_.Arm();
      generic_calls_.Arm();
    } else if (!over && infer_calls_.empty() && generic_calls_.empty()) {
      over = true;
      calls_over_.count_down();
    }
  }
}

void CompletionWorker::Dispatch(void* tag, bool ok) {
  const auto& event = *static_cast<const QueuedCall::Tag*>(tag);
  event.call->OnEvent(event.event, ok);
}

// Takes what is there without waiting, so that it runs as one batch. Not if no
// request is there to join: looking costs a system call.
void CompletionWorker::DrainReady() {
  void* tag = nullptr;
  bool ok = false;
  while (arrived_.size() > 0 && arrived_.size() < kMaxBurst &&
         queue_->AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_MONOTONIC)) ==
             grpc::CompletionQueue::GOT_EVENT) {
    Dispatch(tag, ok);
  }
}

}  // namespace relu
