#include "server/completion_worker.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

#include "grpc/support/time.h"
#include "grpcpp/completion_queue.h"

#include "core/batching/dispatcher.h"
#include "core/repository/model_repository.h"
#include "server/answer_age.h"
#include "server/generic_call.h"
#include "server/grpc_services.h"
#include "server/infer_call.h"
#include "server/queued_call.h"
#include "server/stream_infer_call.h"

namespace relu {
namespace {

// Calls that wait for clients: a burst of as many is taken at once.
constexpr std::size_t kArmedInferCalls = 64;
constexpr std::size_t kArmedStreams = 4;
constexpr std::size_t kArmedGenericCalls = 4;

// What one round takes at most, so that the first of a burst does not wait for
// an endless one. More than a batch: what is left over wakes another thread.
constexpr std::size_t kMaxBurst = 128;

// Of requests that come alone, how many for each look for more.
constexpr int kBurstsPerLook = 4;

// How often it is seen whether answers are late, while events never end.
constexpr unsigned kRoundsPerClock = 64;

// Looks in a row that find nothing, before there is nothing.
constexpr int kLooks = 2;

// While requests wait for their turn, a round looks for more until it has found
// nothing for this part of the time that the batches before took.
constexpr int kLookShare = 64;

std::chrono::milliseconds LookInterval(
    std::chrono::milliseconds answer_timeout) {
  return answer_timeout.count() == 0
             ? answer_timeout
             : std::max(answer_timeout / AnswerAge::kIntervals,
                        std::chrono::milliseconds(1));
}

}  // namespace

CompletionWorker::CompletionWorker(
    const GrpcServices& services,
    std::unique_ptr<grpc::ServerCompletionQueue> queue,
    std::chrono::milliseconds answer_timeout,
    std::chrono::microseconds busy_poll)
    : services_(services),
      queue_(std::move(queue)),
      arrived_(services.environment.repository.dispatcher()),
      infer_calls_(kArmedInferCalls,
                   [this] {
                     return std::make_unique<InferCall>(services_, *queue_,
                                                        infer_calls_, arrived_);
                   }),
      stream_infer_calls_(kArmedStreams,
                          [this] {
                            return std::make_unique<StreamInferCall>(
                                services_, *queue_, stream_infer_calls_,
                                arrived_);
                          }),
      generic_calls_(kArmedGenericCalls,
                     [this] {
                       return std::make_unique<GenericCall>(
                           services_, *queue_, generic_calls_, arrived_);
                     }),
      busy_poll_(busy_poll),
      look_interval_(LookInterval(answer_timeout)),
      next_look_(gpr_now(GPR_CLOCK_MONOTONIC)) {}

CompletionWorker::~CompletionWorker() = default;

void CompletionWorker::Start() {
  infer_calls_.Arm();
  stream_infer_calls_.Arm();
  generic_calls_.Arm();
  services_.environment.repository.dispatcher().AddWorker(*this);
  thread_ = std::thread([this] { Loop(); });
}

void CompletionWorker::Join() {
  calls_over_.wait();
  queue_->Shutdown();
  thread_.join();
}

void CompletionWorker::Wake() {
  if (!wake_event_.posted.exchange(true)) {
    wake_event_.alarm.Set(queue_.get(), gpr_time_0(GPR_CLOCK_MONOTONIC),
                          &wake_event_.tag);
  }
}

void CompletionWorker::WakeEvent::OnEvent(Event /*event*/, bool /*ok*/) {
  posted = false;
  taken = true;
}

void CompletionWorker::Loop() {
  bool more = false;
  while (TakeEvent(/*wait=*/!more)) {
    if (more) {
      TakeReady(/*patience=*/round_time_ / kLookShare);
    } else {
      DrainReady();
    }
    if (!over_ && (arrived_.size() > 0 || more || wake_event_.taken)) {
      wake_event_.taken = false;
      arrivals_.fetch_add(arrived_.size(), std::memory_order_relaxed);
      const Clock::time_point start = Clock::now();
      more = arrived_.Run(*this);
      round_time_ = Clock::now() - start;
    }
    TendCalls();
    more &= !over_;
    LookAtAnswers();
  }
}

void CompletionWorker::Dispatch(void* tag, bool ok) {
  const auto& event = *static_cast<const QueuedCall::Tag*>(tag);
  event.call->OnEvent(event.event, ok);
}

bool CompletionWorker::TakeEvent(bool wait) {
  using grpc::CompletionQueue;
  const gpr_timespec at_once = gpr_time_0(GPR_CLOCK_MONOTONIC);
  if (!wait) {
    return TakeEventUntil(at_once) != CompletionQueue::SHUTDOWN;
  }
  if (busy_poll_.count() > 0) {
    const Clock::time_point end = Clock::now() + busy_poll_;
    do {
      const CompletionQueue::NextStatus status = TakeEventUntil(at_once);
      if (status != CompletionQueue::TIMEOUT) {
        return status == CompletionQueue::GOT_EVENT;
      }
      std::this_thread::yield();  // To whoever has something to do.
    } while (Clock::now() < end);
    may_be_late_ = true;
  }
  const CompletionQueue::NextStatus status = TakeEventUntil(WaitEnd());
  may_be_late_ |= status == CompletionQueue::TIMEOUT;
  return status != CompletionQueue::SHUTDOWN;
}

grpc::CompletionQueue::NextStatus CompletionWorker::TakeEventUntil(
    gpr_timespec end) {
  void* tag = nullptr;
  bool ok = false;
  const grpc::CompletionQueue::NextStatus status =
      queue_->AsyncNext(&tag, &ok, end);
  if (status == grpc::CompletionQueue::GOT_EVENT) {
    Dispatch(tag, ok);
  }
  return status;
}

// Takes what is there without waiting, so that it runs as one batch. Not if no
// request is there to join: looking costs a system call. Where requests come
// one by one, it looks now and then whether they still do.
void CompletionWorker::DrainReady() {
  if (arrived_.size() == 0) {
    return;
  }
  if (comes_alone_ && ++unlooked_bursts_ < kBurstsPerLook) {
    return;
  }
  unlooked_bursts_ = 0;
  TakeReady(/*patience=*/Clock::duration(0));
  comes_alone_ = arrived_.size() == 1;
}

// One look that finds nothing says little: gRPC does not poll at all if an
// event of our own came in between, and a look takes in a part of what lies in
// one socket, which may complete no request. (With one look, batches were of
// one connection each: MNIST at 64 in flight over 16 connections 19,000 calls/s
// in batches of 3. And a flood stayed in the sockets until clients gave up,
// unseen by the limits of the queues.)
void CompletionWorker::TakeReady(Clock::duration patience) {
  int misses = 0;
  Clock::time_point first_miss;
  while (arrived_.size() < kMaxBurst) {
    if (TakeEventUntil(gpr_time_0(GPR_CLOCK_MONOTONIC)) ==
        grpc::CompletionQueue::GOT_EVENT) {
      misses = 0;
      continue;
    }
    const Clock::time_point now = Clock::now();
    first_miss = misses == 0 ? now : first_miss;
    if (++misses >= kLooks && now - first_miss >= patience) {
      return;
    }
  }
}

gpr_timespec CompletionWorker::WaitEnd() const {
  const bool answers = infer_calls_.in_use() + stream_infer_calls_.in_use() +
                           generic_calls_.in_use() >
                       0;
  return answers && look_interval_.count() > 0
             ? next_look_
             : gpr_inf_future(GPR_CLOCK_MONOTONIC);
}

void CompletionWorker::LookAtAnswers() {
  // Where there is always something to do no wait ends.
  may_be_late_ |= ++rounds_ % kRoundsPerClock == 0;
  if (!std::exchange(may_be_late_, false) || look_interval_.count() == 0) {
    return;
  }
  const gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);
  if (gpr_time_cmp(now, next_look_) < 0) {
    return;
  }
  next_look_ = gpr_time_add(
      now, gpr_time_from_millis(look_interval_.count(), GPR_TIMESPAN));
  const auto look = [](auto& call) { call.LookAtAnswer(); };
  infer_calls_.ForEach(look);
  stream_infer_calls_.ForEach(look);
  generic_calls_.ForEach(look);
}

void CompletionWorker::TendCalls() {
  // Until gRPC's server gives them back: a call that it took, and for which
  // none is armed, would not be answered.
  infer_calls_.Arm();
  stream_infer_calls_.Arm();
  generic_calls_.Arm();
  if (!over_ && infer_calls_.over() && stream_infer_calls_.over() &&
      generic_calls_.over()) {
    over_ = true;
    // Here and not in Join(), when this thread might be in Serve().
    services_.environment.repository.dispatcher().RemoveWorker(*this);
    calls_over_.count_down();
  }
}

}  // namespace relu
