#include "server/infer_call.h"

#include <chrono>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"

#include "fmt/format.h"
#include "server/access.h"
#include "server/arrived_call.h"
#include "server/arrived_calls.h"
#include "server/grpc_deadline.h"
#include "server/grpc_services.h"
#include "server/grpc_status.h"
#include "server/infer_exchange.h"
#include "server/infer_wire.h"
#include "server/packed_message.h"

namespace relu {

InferCall::InferCall(const GrpcServices& services,
                     grpc::ServerCompletionQueue& queue,
                     CallPool<InferCall>& pool, ArrivedCalls& arrived)
    : ArrivedCall(services.environment),
      services_(services),
      queue_(queue),
      pool_(pool),
      arrived_(arrived) {
  inference().done = [this](const absl::Status& status) {
    status_ = status;
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
      pool_.Close();
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
  } else {
    answer_age_.End();
  }
  --outstanding_events_;
  if (outstanding_events_ == 0) {
    Release();
  }
}

bool InferCall::Prepare() {
  absl::Status allowed =
      CheckAccess(services_, AccessGroup::kInference, *context_);
  if (allowed.ok()) {
    allowed =
        UnpackMessage(services_.environment.max_message_bytes, request_bytes_);
  }
  status_ = exchange().BeginDecode(arrived_at_, request_bytes_.Length());
  if (status_.ok()) {
    status_ = allowed;
  }
  if (status_.ok()) {
    status_ = ParseInferRequest(request_bytes_, exchange().message());
  }
  // The exchange holds its own copy.
  request_bytes_.Clear();
  if (status_.ok()) {
    status_ = exchange().Prepare(DeadlineOf(*context_));
  }
  return status_.ok();
}

void InferCall::Send(const ArrivedCall* /*next*/) {
  grpc::ByteBuffer bytes;
  if (status_.ok()) {
    status_ = exchange().BeginEncode();
  }
  if (status_.ok()) {
    status_ = SerializeInferResponse(exchange().response(), bytes);
  }
  exchange().Finish(status_);
  answer_age_.Start();
  if (status_.ok()) {
    responder_->Finish(bytes, grpc::Status::OK, &finished_tag_);
  } else {
    AddPushback();
    responder_->FinishWithError(ToGrpcStatus(status_), &finished_tag_);
  }
}

void InferCall::LookAtAnswer() {
  if (answer_age_.LookFindsLate()) {
    services_.environment.metrics.CountUnreadAnswer();
    context_->TryCancel();
  }
}

void InferCall::AddPushback() {
  const std::chrono::milliseconds pushback = inference().retry_pushback;
  if (pushback.count() > 0) {
    context_->AddTrailingMetadata("grpc-retry-pushback-ms",
                                  fmt::format("{}", pushback.count()));
  }
}

void InferCall::OnDone() {
  if (!context_->IsCancelled()) {
    return;
  }
  const InferExchange::Clock::time_point now = InferExchange::Clock::now();
  services_.lost.NoteCancelled(now);
  // A client that waits no longer looks the same; the scheduler sees the
  // deadline by itself, and tells the two apart.
  if (now < inference().deadline) {
    exchange().Cancel();
  }
}

void InferCall::Release() {
  if (exchange().logged()) {
    exchange().LogAccess(RequestIdsOf(*context_, "grpc"));
  }
  exchange().Reset();
  responder_.reset();
  context_.reset();
  request_bytes_.Clear();
  pool_.Release(*this);
}

}  // namespace relu
