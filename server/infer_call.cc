#include "server/infer_call.h"

#include <algorithm>
#include <chrono>

#include "absl/status/status.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"

#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "server/arrived_calls.h"
#include "server/grpc_services.h"
#include "server/grpc_status.h"
#include "server/infer_exchange.h"

namespace relu {

InferCall::InferCall(const GrpcServices& services,
                     grpc::ServerCompletionQueue& queue,
                     CallPool<InferCall>& pool, ArrivedCalls& arrived)
    : services_(services),
      queue_(queue),
      pool_(pool),
      arrived_(arrived),
      exchange_(services.environment) {
  exchange_.inference().done = [this](const absl::Status& status) {
    Complete(status);
    ArrivedCalls::Answer(*this);
  };
}

void InferCall::Arm() {
  context_.emplace();
  responder_.emplace(&*context_);
  context_->AsyncNotifyWhenDone(&done_tag_);
  services_.infer.RequestModelInfer(&*context_, &request_bytes_, &*responder_,
                                    &queue_, &queue_, &arrived_tag_);
}

void InferCall::OnEvent(Event event, bool ok) {
  if (event == Event::kArrived) {
    pool_.NoteArrived();
    if (!ok) {
      Release();  // kDone does not come for a call that never was.
      return;
    }
    outstanding_events_ = 2;
    arrived_at_ = InferExchange::Clock::now();
    arrived_.Add(*this);
    return;
  }
  if (event == Event::kDone) {
    OnDone();
  }
  --outstanding_events_;
  if (outstanding_events_ == 0) {
    Release();
  }
}

bool InferCall::Prepare() {
  absl::Status status = Parse();
  // The exchange holds its own copy.
  request_bytes_.Clear();
  if (status.ok()) {
    status = exchange_.Prepare(arrived_at_, Deadline());
  }
  if (!status.ok()) {
    Complete(status);
  }
  return status.ok();
}

void InferCall::Send() {
  grpc::ByteBuffer bytes;
  grpc::Status status = ToGrpcStatus(status_);
  if (status.ok()) {
    bool own = false;
    status =
        grpc::SerializationTraits<inference::ModelInferResponse>::Serialize(
            exchange_.response(), &bytes, &own);
  }
  if (status.ok()) {
    responder_->Finish(bytes, status, &finished_tag_);
  } else {
    AddPushback();
    responder_->FinishWithError(status, &finished_tag_);
  }
}

void InferCall::AddPushback() {
  const std::chrono::milliseconds pushback =
      exchange_.inference().retry_pushback;
  if (pushback.count() > 0) {
    context_->AddTrailingMetadata("grpc-retry-pushback-ms",
                                  fmt::format("{}", pushback.count()));
  }
}

absl::Status InferCall::Parse() {
  grpc::ProtoBufferReader reader(&request_bytes_);
  if (reader.status().ok() &&
      exchange_.message().ParseFromZeroCopyStream(&reader)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      fmt::format("the request of {} bytes is no inference.ModelInferRequest",
                  request_bytes_.Length()));
}

InferExchange::Clock::time_point InferCall::Deadline() const {
  using Clock = InferExchange::Clock;
  const auto deadline = context_->deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) {
    return Clock::time_point::max();
  }
  // gRPC counts in system time, the scheduler in steady time. Far deadlines
  // must not overflow.
  const std::chrono::system_clock::duration left =
      deadline - std::chrono::system_clock::now();
  return Clock::now() + std::min<Clock::duration>(left, std::chrono::hours(24));
}

void InferCall::OnDone() {
  if (!context_->IsCancelled()) {
    return;
  }
  const InferExchange::Clock::time_point now = InferExchange::Clock::now();
  services_.lost.NoteCancelled(now);
  // A client that waits no longer looks the same; the scheduler sees the
  // deadline by itself, and tells the two apart.
  if (now < exchange_.inference().deadline) {
    exchange_.Cancel();
  }
}

void InferCall::Complete(const absl::Status& status) {
  status_ = status;
  exchange_.Finish(status);
}

void InferCall::Release() {
  exchange_.Reset();
  responder_.reset();
  context_.reset();
  request_bytes_.Clear();
  pool_.Release(*this);
}

}  // namespace relu
