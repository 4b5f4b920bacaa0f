#include "server/stream_infer_call.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"

#include "core/base/mutex.h"
#include "server/access.h"
#include "server/arrived_call.h"
#include "server/arrived_calls.h"
#include "server/grpc_deadline.h"
#include "server/grpc_services.h"
#include "server/grpc_status.h"
#include "server/health.h"
#include "server/infer_exchange.h"
#include "server/stream_message.h"

namespace relu {
namespace {

// How many messages a stream keeps for the next client: enough for one that
// sends a request when it has the answer to the last.
constexpr std::size_t kKeptMessages = 4;

bool WantsErrorsToEndStream(const grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("triton_grpc_error");
  return found != metadata.end() && found->second == "true";
}

}  // namespace

class StreamInferCall::Message final : public StreamMessage {
 public:
  Message(StreamInferCall& owner, const InferEnvironment& environment)
      : StreamMessage(environment), owner_(owner) {}

  void Send(const ArrivedCall* next_call) override {
    const bool more = next_call != nullptr && next_call->stream() == &owner_;
    Encode();
    owner_.NoteAnswered(*this, more);
  }

  const void* stream() const override { return &owner_; }

  void LogAccess(const grpc::ServerContext& context) const {
    if (exchange().logged()) {
      exchange().LogAccess(RequestIdsOf(context, "stream"));
    }
  }

  // Guarded by the stream's mutex.
  Message* next = nullptr;  // The one read after it.
  bool answered = false;
  std::size_t bytes = 0;  // What it counts for.

 private:
  void OnComputed() override { ArrivedCalls::Answer(*this); }

  StreamInferCall& owner_;
};

StreamInferCall::StreamInferCall(const GrpcServices& services,
                                 grpc::ServerCompletionQueue& queue,
                                 CallPool<StreamInferCall>& pool,
                                 ArrivedCalls& arrived)
    : services_(services), queue_(queue), pool_(pool), arrived_(arrived) {}

StreamInferCall::~StreamInferCall() = default;

void StreamInferCall::Arm() {
  context_.emplace();
  responder_.emplace(&*context_);
  context_->AsyncNotifyWhenDone(&done_tag_);
  services_.infer.RequestModelStreamInfer(&*context_, &*responder_, &queue_,
                                          &queue_, &arrived_tag_);
}

void StreamInferCall::OnEvent(Event event, bool ok) {
  switch (event) {
    case Event::kArrived:
      pool_.NoteArrived();
      if (ok) {
        OnArrived();
      } else {
        pool_.Close();
        Release();  // kDone does not come for a call that never was.
      }
      return;
    case Event::kRead:
      OnRead(ok);
      break;
    case Event::kWritten:
      OnWritten(ok);
      break;
    case Event::kFinished:
      answer_age_.End();
      break;
    case Event::kDone:
      OnDone();
      break;
    case Event::kWoken:
      break;
  }
  if (End()) {
    Release();
  }
}

void StreamInferCall::OnArrived() {
  errors_end_stream_ = WantsErrorsToEndStream(*context_);
  deadline_ = DeadlineOf(*context_);
  {
    const MutexLock lock(mu_);
    // kDone and kFinished: the latter may be started long after all others have
    // come, when the last request is answered.
    outstanding_ = 2;
    open_ = true;
    writing_ = false;
    first_write_ = true;
    reads_ended_ = false;
    ended_ = CheckAccess(services_, AccessGroup::kInference, *context_);
  }
  services_.health.Subscribe(*this);
  ReadNext();
  Advance();  // The server may be going already.
}

void StreamInferCall::OnRead(bool ok) {
  Message& message = *std::exchange(reading_, nullptr);
  bool accepted = false;
  {
    const MutexLock lock(mu_);
    reads_ended_ = !ok;
    accepted = ok && open_ && ended_.ok();
    if (accepted) {
      message.next = nullptr;
      message.answered = false;
      message.bytes = message.request_bytes().Length();
      (head_ == nullptr ? head_ : tail_->next) = &message;
      tail_ = &message;
      ++requests_;
      ++unanswered_;
      bytes_ += message.bytes;
    }
  }
  if (accepted) {
    message.NoteArrived(deadline_);
    arrived_.Add(message);
    ReadNext();
  } else {
    GiveBack(message);
    Advance();
  }
}

void StreamInferCall::OnWritten(bool ok) {
  answer_age_.End();
  if (!ok) {
    OnClientGone();
  }
  Message* written = nullptr;
  {
    const MutexLock lock(mu_);
    writing_ = false;
    written = head_;
    head_ = written->next;
    --requests_;
    bytes_ -= written->bytes;
  }
  GiveBack(*written);
  ReadNext();
  Advance();
}

void StreamInferCall::OnDone() {
  if (context_->IsCancelled()) {
    OnClientGone();
  }
  Advance();
}

void StreamInferCall::LookAtAnswer() {
  if (answer_age_.LookFindsLate()) {
    services_.environment.metrics.CountUnreadAnswer();
    context_->TryCancel();
  }
}

void StreamInferCall::OnClientGone() {
  const auto now = InferExchange::Clock::now();
  std::vector<Message*> unanswered;
  {
    const MutexLock lock(mu_);
    if (!ended_.ok()) {
      return;
    }
    ended_ = absl::CancelledError("the client has left");
    for (Message* message = head_; message != nullptr;
         message = message->next) {
      services_.lost.NoteCancelled(now);
      if (!message->answered) {
        unanswered.push_back(message);
      }
    }
  }
  // A client that waits no longer looks the same; the scheduler sees the
  // deadline by itself, and tells the two apart.
  if (now < deadline_) {
    for (Message* message : unanswered) {
      message->Cancel();
    }
  }
}

void StreamInferCall::ReadNext() {
  const StreamLimits& limits = services_.stream_limits;
  {
    const MutexLock lock(mu_);
    const bool full =
        requests_ >= limits.max_requests || bytes_ >= limits.max_bytes;
    if (reading_ != nullptr || full || !open_ || reads_ended_ || !ended_.ok() ||
        services_.health.closed()) {
      return;
    }
    ++outstanding_;
  }
  reading_ = &TakeMessage();
  responder_->Read(&reading_->request_bytes(), &read_tag_);
}

void StreamInferCall::NoteAnswered(Message& message, bool more) {
  {
    const MutexLock lock(mu_);
    const std::size_t bytes = message.answer_bytes().Length();
    message.answered = true;
    message.bytes += bytes;
    bytes_ += bytes;
    --unanswered_;
  }
  if (!more) {
    Advance();
  }
}

void StreamInferCall::Advance() {
  Step step;
  {
    const MutexLock lock(mu_);
    step = NextStep();
  }
  if (step.write != nullptr) {
    grpc::WriteOptions options;
    if (step.more) {
      options.set_buffer_hint();  // One packet for both.
    }
    answer_age_.Start();
    responder_->Write(step.write->answer_bytes(), options, &written_tag_);
  } else if (step.finish.has_value()) {
    answer_age_.Start();  // It follows answers that may be on their way still.
    responder_->Finish(ToGrpcStatus(*step.finish), &finished_tag_);
  }
}

StreamInferCall::Step StreamInferCall::NextStep() {
  if (!open_ || writing_) {
    return {};
  }
  if (ended_.ok() && head_ != nullptr && head_->answered) {
    if (!errors_end_stream_ || head_->status().ok()) {
      writing_ = true;
      ++outstanding_;
      // The first goes out at once: with it go the headers, and gRPC does not
      // take the next answer before these are gone.
      const bool first = std::exchange(first_write_, false);
      return {.write = head_,
              .more = !first && head_->next != nullptr && head_->next->answered,
              .finish = std::nullopt};
    }
    ended_ = head_->status();
  }
  // What waits for its answer is the scheduler's still.
  const bool over =
      ended_.ok()
          ? head_ == nullptr && (reads_ended_ || services_.health.closed())
          : unanswered_ == 0;
  if (!over) {
    return {};
  }
  open_ = false;
  Step step;
  step.finish = ended_.ok() && !reads_ended_
                    ? absl::UnavailableError("the server is shutting down")
                    : ended_;
  return step;
}

bool StreamInferCall::End() {
  const MutexLock lock(mu_);
  --outstanding_;
  return outstanding_ == 0;
}

void StreamInferCall::Release() {
  services_.health.Unsubscribe(*this);
  {
    // Answers that nobody waited for.
    const MutexLock lock(mu_);
    head_ = nullptr;
    requests_ = 0;
    bytes_ = 0;
  }
  idle_.clear();
  for (const auto& message : messages_) {
    GiveBack(*message);  // Those that go too: they count in what is in flight.
  }
  const std::size_t kept = std::min(messages_.size(), kKeptMessages);
  idle_.resize(kept);
  messages_.resize(kept);
  responder_.reset();
  context_.reset();
  pool_.Release(*this);
}

StreamInferCall::Message& StreamInferCall::TakeMessage() {
  if (idle_.empty()) {
    messages_.push_back(
        std::make_unique<Message>(*this, services_.environment));
    idle_.push_back(messages_.back().get());
  }
  Message& message = *idle_.back();
  idle_.pop_back();
  return message;
}

void StreamInferCall::GiveBack(Message& message) {
  message.LogAccess(*context_);
  message.Reset();
  idle_.push_back(&message);
}

}  // namespace relu
