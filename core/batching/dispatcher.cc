#include "core/batching/dispatcher.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "absl/status/status.h"

#include "core/base/check.h"
#include "core/base/mutex.h"
#include "core/batching/inference_request.h"
#include "core/batching/model_queue.h"
#include "core/batching/rejection.h"
#include "core/batching/request_list.h"
#include "core/batching/scheduler.h"

namespace relu {
namespace {

// Whether this thread is inside of ServeAs(): a `done` may submit requests,
// which then wait until the batch before is over. A scheduler calls back
// without saying on whose thread it is.
thread_local bool serving = false;
// Whether a `done` has submitted any since ServeAs() looked for work.
thread_local bool submitted = false;

}  // namespace

// No batch that could start is forgotten, because whenever mu_ is free:
//
//   no batch can start; or some worker is not asleep, and will call Look()
//   before it sleeps; or a thread that is no worker is in ServeAs(), and will.
//
// What can make a batch start: requests that arrive, time that passes, a slot
// that becomes free, a model that is closed. Each of these is noticed in a
// section under mu_ that ends with Look() or WorkerToWake(). Those wake a
// worker, which is not asleep from then on, unless
//   - none is asleep: then each is on its way to Look() (a worker falls asleep
//     only in ServeAs(), under the lock under which Look() found nothing);
//   - one is looking already: it takes the batch, and looks on behalf of others
//     when it has;
//   - the thread itself is back soon: it has started a batch that is short, in
//     ServeAs(), whose loop ends with a Look().
// A worker that is removed looks once more on behalf of the others. Where there
// are no workers, threads that submit stay until no batch can start.
Dispatcher::Dispatcher(DispatcherOptions options)
    : options_(std::move(options)), active_(options_.limits) {}

Dispatcher::~Dispatcher() {
  const MutexLock lock(mu_);
  CHECK(active_.requests() == 0 && workers_.empty() && running_batches_ == 0);
}

void Dispatcher::AddWorker(Worker& worker) {
  const MutexLock lock(mu_);
  worker.state_ = Worker::State::kAsleep;
  workers_.push_back(&worker);
}

void Dispatcher::RemoveWorker(Worker& worker) {
  Worker* wake = nullptr;
  {
    const MutexLock lock(mu_);
    CHECK(worker.state_ != Worker::State::kRunning);
    SetState(worker, Worker::State::kAsleep);
    std::erase(workers_, &worker);
    wake = WorkerToWake(options_.now(), Started());
    while (worker.wakes_ > 0) {
      idle_.Wait(mu_);
    }
  }
  WakeUp(wake);
}

bool Dispatcher::Serve(Worker& worker,
                       std::span<InferenceRequest* const> requests) {
  return ServeAs(&worker, requests);
}

Dispatcher::Clock::time_point Dispatcher::Tick() {
  const Clock::time_point now = options_.now();
  Findings findings;
  bool alone = false;
  {
    const MutexLock lock(mu_);
    DropExpired(now, findings.dropped);
    findings.wake = WorkerToWake(now, Started());
    alone = workers_.empty();
  }
  Act(findings, now);
  if (alone) {
    Submit({});
  }
  return now;
}

void Dispatcher::KeepTime() {
  while (true) {
    const Clock::time_point looked = Tick();
    const MutexLock lock(mu_);
    // As of that look: what became due since then is an event to come, too.
    timer_at_ = active_.NextEvent(looked);
    while (!time_stopped_ && options_.now() < timer_at_) {
      if (timer_at_ == Clock::time_point::max()) {
        timer_.Wait(mu_);
      } else {
        timer_.WaitUntil(mu_, timer_at_);
      }
    }
    if (time_stopped_) {
      return;
    }
  }
}

void Dispatcher::StopTime() {
  const MutexLock lock(mu_);
  time_stopped_ = true;
  timer_.NotifyAll();
}

bool Dispatcher::quiet() const {
  const MutexLock lock(mu_);
  return running_batches_ <= 1 && active_.requests() == 0;
}

void Dispatcher::Submit(std::span<InferenceRequest* const> requests) {
  if (!serving) {
    while (ServeAs(nullptr, requests)) {
      requests = {};
    }
    return;
  }
  // ServeAs(), further up the stack, looks again.
  submitted = true;
  const Clock::time_point now = options_.now();
  RequestChain refused;
  {
    const MutexLock lock(mu_);
    AddAll(requests, now, refused);
  }
  CompleteRefused(refused, now);
}

void Dispatcher::Cancel(ModelQueue& queue, InferenceRequest& request) {
  const Clock::time_point now = options_.now();
  RequestChain dropped;
  {
    const MutexLock lock(mu_);
    if (!queue.waiting().Holds(request)) {
      return;
    }
    queue.Remove(request);
    Drop(queue, request, Rejection::kCancelled, dropped);
    active_.Update(queue);
  }
  CompleteDropped(dropped, now);
}

void Dispatcher::Close(ModelQueue& queue) {
  Worker* wake = nullptr;
  {
    const MutexLock lock(mu_);
    queue.Close();
    wake = WorkerToWake(options_.now(), Started());
  }
  WakeUp(wake);
}

void Dispatcher::Drain(const ModelQueue& queue) {
  bool alone = false;
  {
    const MutexLock lock(mu_);
    alone = workers_.empty();
  }
  if (alone) {
    Submit({});
  }
  const MutexLock lock(mu_);
  while (queue.waiting().size() > 0 || queue.holds > 0) {
    idle_.Wait(mu_);
  }
}

std::size_t Dispatcher::QueueSize(const ModelQueue& queue) const {
  const MutexLock lock(mu_);
  return queue.waiting().size();
}

void Dispatcher::NoteCost(ModelQueue& queue, std::int64_t rows,
                          Clock::duration cost) {
  const MutexLock lock(mu_);
  queue.cost().Note(rows, cost);
}

// --- Under the lock ---

void Dispatcher::AddAll(std::span<InferenceRequest* const> requests,
                        Clock::time_point now, RequestChain& refused) {
  const int threads = std::max(1, static_cast<int>(workers_.size()));
  for (InferenceRequest* const request : requests) {
    ModelQueue& queue = request->scheduler->queue_;
    request->progress = {};
    request->queued_at = now;
    request->largest_batch_rows = 0;
    request->compute.Clear();
    request->rejection = queue.Admit(*request, now, threads);
    if (request->rejection == Rejection::kNone) {
      request->rejection = active_.Check(queue, *request);
      request->retry_pushback = request->rejection == Rejection::kNone
                                    ? std::chrono::milliseconds(0)
                                    : queue.PushbackWhenFull(threads);
    }
    if (request->rejection != Rejection::kNone) {
      refused.PushBack(*request);
      continue;
    }
    queue.Add(*request);
    active_.Update(queue);
  }
}

void Dispatcher::Drop(ModelQueue& queue, InferenceRequest& request,
                      Rejection why, RequestChain& dropped) {
  if (DropRest(request, why)) {
    dropped.PushBack(request);
    ++queue.holds;
  }
}

void Dispatcher::Look(Worker* worker, Clock::time_point now,
                      Clock::time_point round_end, Findings& findings) {
  DropExpired(now, findings.dropped);
  ModelQueue* const next = active_.Next(now);
  const bool starts = next != nullptr && now + next->NextCost() <= round_end;
  findings.started = starts ? Start(*next, now) : Started();
  findings.more = !starts && next != nullptr;
  if (worker != nullptr) {
    SetState(*worker, starts          ? Worker::State::kRunning
                      : findings.more ? Worker::State::kLooking
                                      : Worker::State::kAsleep);
  } else if (!workers_.empty()) {
    findings.more = false;  // They come for it.
  }
  findings.wake = WorkerToWake(now, findings.started);
  const Clock::time_point event = active_.NextEvent(now);
  if (event < timer_at_) {
    timer_at_ = event;
    timer_.NotifyOne();
  }
}

void Dispatcher::DropExpired(Clock::time_point now, RequestChain& dropped) {
  while (true) {
    const ActiveQueues::Expired expired = active_.PopExpired(now);
    if (expired.request == nullptr) {
      return;
    }
    Drop(*expired.queue, *expired.request, Rejection::kExpired, dropped);
  }
}

Dispatcher::Started Dispatcher::Start(ModelQueue& queue,
                                      Clock::time_point now) {
  ++queue.holds;
  ++running_batches_;
  return {.queue = &queue, .slot = active_.Start(queue, now)};
}

Dispatcher::Worker* Dispatcher::WorkerToWake(Clock::time_point now,
                                             const Started& started) {
  if (looking_workers_ > 0 || active_.Next(now) == nullptr) {
    return nullptr;
  }
  if (started.queue != nullptr) {
    const Clock::duration cost =
        started.queue->ExpectedCost(started.slot) + active_.WaitingCost();
    if (cost < options_.wake_cost) {
      return nullptr;
    }
  }
  const auto asleep =
      std::ranges::find(workers_, Worker::State::kAsleep, &Worker::state_);
  if (asleep == workers_.end()) {
    return nullptr;
  }
  SetState(**asleep, Worker::State::kLooking);
  ++(*asleep)->wakes_;
  return *asleep;
}

void Dispatcher::SetState(Worker& worker, Worker::State state) {
  const auto looks = [](Worker::State s) {
    return s == Worker::State::kLooking ? 1 : 0;
  };
  looking_workers_ += looks(state) - looks(worker.state_);
  worker.state_ = state;
}

void Dispatcher::LetGo(ModelQueue& queue) {
  --queue.holds;
  if (queue.holds == 0 && queue.waiting().size() == 0) {
    // Under the lock: whoever waits may destroy the queue once it is free.
    idle_.NotifyAll();
  }
}

// --- Without it ---

bool Dispatcher::ServeAs(Worker* worker,
                         std::span<InferenceRequest* const> requests) {
  const Clock::time_point begin = options_.now();
  RequestChain refused;
  Findings findings;
  {
    const MutexLock lock(mu_);
    AddAll(requests, begin, refused);
    Look(worker, begin, Clock::time_point::max(), findings);
  }
  serving = true;
  CompleteRefused(refused, begin);
  Act(findings, begin);
  while (findings.started.queue != nullptr || submitted) {
    const Started batch = findings.started;
    const Clock::time_point started = options_.now();
    const Clock::time_point finished =
        batch.queue == nullptr ? started : Run(batch);
    submitted = false;
    {
      const MutexLock lock(mu_);
      if (batch.queue != nullptr) {
        batch.queue->Release(batch.slot, finished - started);
        --running_batches_;
        LetGo(*batch.queue);
      }
      Look(worker, finished, begin + options_.round, findings);
    }
    Act(findings, finished);
  }
  serving = false;
  return findings.more;
}

Dispatcher::Clock::time_point Dispatcher::Run(const Started& started) {
  ModelQueue& queue = *started.queue;
  queue.Run(started.slot);
  const Clock::time_point finished = options_.now();
  for (BatchSlice& slice : queue.batch(started.slot)) {
    InferenceRequest& request = *slice.request;
    if (slice.rows == request.rows) {
      request.progress.status = std::move(slice.status);
      Complete(queue, request, finished);
    } else if (FinishPiece(queue, slice)) {
      Complete(queue, request, finished);
    }
  }
  return finished;
}

bool Dispatcher::FinishPiece(ModelQueue& queue, const BatchSlice& piece) {
  InferenceRequest& request = *piece.request;
  InferenceRequest::Progress& progress = request.progress;
  const MutexLock lock(mu_);
  progress.status.Update(piece.status);
  progress.rows_finished += piece.rows;
  if (!piece.status.ok() && queue.waiting().Holds(request)) {
    queue.Remove(request);
    DropRest(request, Rejection::kNone);
    active_.Update(queue);
  }
  return progress.rows_finished == request.rows;
}

void Dispatcher::WakeUp(Worker* worker) {
  if (worker == nullptr) {
    return;
  }
  worker->Wake();
  const MutexLock lock(mu_);
  --worker->wakes_;
  idle_.NotifyAll();
}

void Dispatcher::Act(Findings& findings, Clock::time_point now) {
  WakeUp(findings.wake);
  CompleteDropped(findings.dropped, now);
}

void Dispatcher::CompleteRefused(RequestChain& refused, Clock::time_point now) {
  while (!refused.empty()) {
    InferenceRequest& request = refused.PopFront();
    request.finished_at = now;
    Answer(request.scheduler->queue_, request);
  }
}

void Dispatcher::CompleteDropped(RequestChain& dropped, Clock::time_point now) {
  while (!dropped.empty()) {
    InferenceRequest& request = dropped.PopFront();
    ModelQueue& queue = request.scheduler->queue_;
    Complete(queue, request, now);
    const MutexLock lock(mu_);
    LetGo(queue);
  }
}

void Dispatcher::Complete(ModelQueue& queue, InferenceRequest& request,
                          Clock::time_point now) {
  request.finished_at = now;
  if (queue.options().batching.preserve_ordering) {
    AnswerInOrder(queue, request);
  } else {
    Answer(queue, request);
  }
}

void Dispatcher::AnswerInOrder(ModelQueue& queue, InferenceRequest& request) {
  {
    const MutexLock lock(mu_);
    request.progress.answer_ready = true;
    if (queue.answering) {
      return;  // That thread sees it.
    }
    queue.answering = true;
  }
  while (true) {
    InferenceRequest* next = nullptr;
    {
      const MutexLock lock(mu_);
      next = queue.PopAnswer();
      if (next == nullptr) {
        queue.answering = false;
        return;
      }
    }
    Answer(queue, *next);
  }
}

void Dispatcher::Answer(const ModelQueue& queue, InferenceRequest& request) {
  // Moved out: `done` may submit the request again, which resets it.
  absl::Status status = std::move(request.progress.status);
  if (status.ok() && request.rejection != Rejection::kNone) {
    const bool total = request.rejection == Rejection::kTotalRequests ||
                       request.rejection == Rejection::kTotalBytes;
    const SchedulerOptions& own = queue.options();
    status = RejectionStatus(
        request.rejection,
        {.age = request.finished_at - request.queued_at,
         .retry_pushback = request.retry_pushback,
         .max_queue_time = own.max_queue_time,
         .max_requests =
             total ? options_.limits.max_requests
                   : queue.waiting().max_requests(request.progress.level),
         .max_bytes =
             total ? options_.limits.max_bytes : own.limits.max_bytes});
  }
  request.done(status);
}

}  // namespace relu
