#include "server/generic_call.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

#include "core/base/mutex.h"
#include "server/access.h"
#include "server/grpc_deadline.h"
#include "server/grpc_services.h"
#include "server/grpc_status.h"
#include "server/health.h"
#include "server/packed_message.h"
#include "server/rpc_table.h"

namespace relu {
namespace {

grpc::ByteBuffer ToByteBuffer(std::string_view message) {
  const grpc::Slice slice(message.data(), message.size());
  return {&slice, 1};
}

}  // namespace

GenericCall::GenericCall(const GrpcServices& services,
                         grpc::ServerCompletionQueue& queue,
                         CallPool<GenericCall>& pool, ArrivedCalls& arrived)
    : services_(services),
      queue_(queue),
      pool_(pool),
      arrived_(arrived),
      held_(services.environment.in_flight_bytes) {}

void GenericCall::Arm() {
  context_.emplace();
  stream_.emplace(&*context_);
  context_->AsyncNotifyWhenDone(&done_tag_);
  services_.generic.RequestCall(&*context_, &*stream_, &queue_, &queue_,
                                &arrived_tag_);
}

void GenericCall::OnEvent(Event event, bool ok) {
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
      EndAnswer();
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

void GenericCall::OnHealthChange() { Advance(); }

void GenericCall::OnArrived() {
  {
    const MutexLock lock(mu_);
    outstanding_ = 1;  // kDone
    open_ = true;
    writing_ = false;
    client_gone_ = false;
    watched_.reset();
    told_.reset();
  }
  const absl::StatusOr<const Rpc*> rpc =
      services_.rpcs.Find(context_->method());
  const absl::Status status =
      rpc.ok() ? CheckAccess(services_, GroupOf(context_->method()), *context_)
               : rpc.status();
  if (!status.ok()) {
    rpc_ = nullptr;
    Finish(status);
    return;
  }
  rpc_ = *rpc;
  if (rpc_->kind == Rpc::Kind::kStream ||
      rpc_->kind == Rpc::Kind::kHealthWatch) {
    services_.health.Subscribe(*this);
    Advance();  // The server may be going already.
  }
  Read();
}

void GenericCall::OnRead(bool ok) {
  if (!ok) {
    Finish(rpc_->kind == Rpc::Kind::kStream
               ? absl::OkStatus()
               : absl::InvalidArgumentError(
                     "expected one request message, got none"));
    return;
  }
  if (const absl::Status unpacked = UnpackMessage(
          services_.environment.max_message_bytes, request_bytes_);
      !unpacked.ok()) {
    Finish(unpacked);
    return;
  }
  grpc::Slice slice;
  if (!request_bytes_.DumpToSingleSlice(&slice).ok()) {
    Finish(absl::InternalError("the request message could not be read"));
    return;
  }
  request_bytes_.Clear();
  const std::string_view request(reinterpret_cast<const char*>(slice.begin()),
                                 slice.size());
  if (rpc_->kind == Rpc::Kind::kDeferred) {
    Defer(request);
    return;
  }
  const absl::StatusOr<std::string> result =
      rpc_->kind == Rpc::Kind::kHealthWatch ? ParseHealthRequest(request)
                                            : rpc_->handler(request);
  if (!result.ok()) {
    Finish(result.status());
    return;
  }
  switch (rpc_->kind) {
    case Rpc::Kind::kUnary:
      WriteAndFinish(*result);
      break;
    case Rpc::Kind::kStream:
      Write(*result);
      break;
    case Rpc::Kind::kHealthWatch:
      Watch(*result);
      break;
    case Rpc::Kind::kDeferred:
      break;
  }
}

void GenericCall::OnWritten(bool ok) {
  EndAnswer();
  {
    const MutexLock lock(mu_);
    writing_ = false;
    client_gone_ |= !ok;
  }
  Advance();
  if (rpc_->kind == Rpc::Kind::kStream) {
    Read();
  }
}

void GenericCall::OnDone() {
  if (cancel_ != nullptr && context_->IsCancelled()) {
    const auto now = std::chrono::steady_clock::now();
    services_.lost.NoteCancelled(now);
    // A client that waits no longer looks the same; whoever computes the answer
    // sees the deadline by itself, and tells the two apart.
    if (now < DeadlineOf(*context_)) {
      cancel_();
    }
  }
  {
    const MutexLock lock(mu_);
    client_gone_ |= context_->IsCancelled();
  }
  Advance();
}

void GenericCall::Read() {
  if (Begin(/*last=*/false)) {
    stream_->Read(&request_bytes_, &read_tag_);
  }
}

void GenericCall::Write(std::string_view message) {
  {
    const MutexLock lock(mu_);
    if (!open_) {
      return;
    }
    writing_ = true;
    ++outstanding_;
  }
  StartAnswer(message.size());
  stream_->Write(ToByteBuffer(message), &written_tag_);
}

void GenericCall::WriteAndFinish(std::string_view message) {
  if (Begin(/*last=*/true)) {
    StartAnswer(message.size());
    stream_->WriteAndFinish(ToByteBuffer(message), grpc::WriteOptions(),
                            grpc::Status::OK, &finished_tag_);
  }
}

void GenericCall::Finish(const absl::Status& status) {
  if (Begin(/*last=*/true)) {
    answer_age_.Start();
    stream_->Finish(ToGrpcStatus(status), &finished_tag_);
  }
}

void GenericCall::StartAnswer(std::size_t bytes) {
  held_.HoldAnyway(bytes);
  answer_age_.Start();
}

void GenericCall::EndAnswer() {
  answer_age_.End();
  held_.LetGo();
}

void GenericCall::LookAtAnswer() {
  if (answer_age_.LookFindsLate()) {
    services_.environment.metrics.CountUnreadAnswer();
    context_->TryCancel();
  }
}

void GenericCall::Defer(std::string_view request) {
  // The operation that ends the call begins now, so that its memory is not used
  // again before the answer is there.
  if (!Begin(/*last=*/true)) {
    return;
  }
  const Rpc::Caller caller{.deadline = DeadlineOf(*context_),
                           .ids = RequestIdsOf(*context_, "grpc"),
                           .arrived = &arrived_};
  cancel_ = rpc_->deferred(
      request, caller, [this](absl::StatusOr<std::string> answer) {
        if (answer.ok()) {
          StartAnswer(answer->size());
          stream_->WriteAndFinish(ToByteBuffer(*answer), grpc::WriteOptions(),
                                  grpc::Status::OK, &finished_tag_);
        } else {
          const auto pushback = answer.status().GetPayload(kRetryPushback);
          if (pushback.has_value()) {
            context_->AddTrailingMetadata(kRetryPushback,
                                          std::string(*pushback));
          }
          answer_age_.Start();
          stream_->Finish(ToGrpcStatus(answer.status()), &finished_tag_);
        }
      });
}

void GenericCall::Watch(const std::string& service) {
  {
    const MutexLock lock(mu_);
    watched_ = service;
  }
  Advance();
}

void GenericCall::Advance() {
  ServingStatus status = ServingStatus::kServiceUnknown;
  bool finish = false;
  {
    const MutexLock lock(mu_);
    if (!open_ || writing_) {
      return;
    }
    finish = client_gone_ || services_.health.closed();
    if (!finish) {
      if (!watched_.has_value()) {
        return;
      }
      status = services_.health.Get(*watched_);
      if (status == told_) {
        return;
      }
      told_ = status;
    }
    open_ = !finish;
    writing_ = !finish;
    ++outstanding_;
  }
  answer_age_.Start();
  if (finish) {
    stream_->Finish(
        ToGrpcStatus(absl::UnavailableError("the server is shutting down")),
        &finished_tag_);
  } else {
    stream_->Write(ToByteBuffer(HealthResponse(status)), &written_tag_);
  }
}

bool GenericCall::Begin(bool last) {
  const MutexLock lock(mu_);
  if (!open_) {
    return false;
  }
  open_ = !last;
  ++outstanding_;
  return true;
}

bool GenericCall::End() {
  const MutexLock lock(mu_);
  --outstanding_;
  return outstanding_ == 0;
}

void GenericCall::Release() {
  services_.health.Unsubscribe(*this);
  cancel_ = nullptr;
  stream_.reset();
  context_.reset();
  request_bytes_.Clear();
  pool_.Release(*this);
}

}  // namespace relu
