#include "client/unary_call.h"

#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

#include "client/call_queue.h"
#include "client/serving_channel.h"
#include "fmt/format.h"

namespace relu {
namespace {

std::optional<std::chrono::milliseconds> PushbackOf(
    const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find("grpc-retry-pushback-ms");
  if (found == trailers.end()) {
    return std::nullopt;
  }
  const char* const end = found->second.data() + found->second.size();
  std::int64_t number = -1;
  const auto [rest, error] = std::from_chars(found->second.data(), end, number);
  // What is no number means "not again", too.
  return std::chrono::milliseconds(error == std::errc() && rest == end ? number
                                                                       : -1);
}

}  // namespace

void Prepare(const CallSetting& setting, grpc::ClientContext& context) {
  context.set_deadline(setting.deadline);
  if (!setting.token.empty()) {
    context.AddMetadata("authorization",
                        fmt::format("Bearer {}", setting.token));
  }
  if (setting.attempts_before > 0) {
    context.AddMetadata("grpc-previous-rpc-attempts",
                        fmt::format("{}", setting.attempts_before));
  }
}

UnaryAnswer CallAndWait(const std::shared_ptr<grpc::Channel>& channel,
                        const CallSetting& setting,
                        const grpc::ByteBuffer& request) {
  grpc::ClientContext context;
  Prepare(setting, context);
  UnaryAnswer answer;
  grpc::CompletionQueue queue;
  const auto reader = grpc::GenericStub(channel).PrepareUnaryCall(
      &context, setting.method, request, &queue);
  reader->StartCall();
  reader->Finish(&answer.message, &answer.status, /*tag=*/&answer);
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
    // Until the one answer is there, and the queue is empty.
  }
  return answer;
}

UnaryCall::UnaryCall(ServingChannel& channel, const CallSetting& setting,
                     absl::AnyInvocable<void(UnaryAnswer)> done)
    : channel_(channel), setting_(setting), done_(std::move(done)) {
  Prepare(setting_, context_);
}

void UnaryCall::Start(const grpc::ByteBuffer& request, CallQueue& queue) {
  queue_ = &queue;
  request_ = request;
  SendOnceHealthIsKnown();
}

void UnaryCall::SendOnceHealthIsKnown() {
  if (channel_.HealthIsKnown(setting_.deadline, *queue_, *this)) {
    Send();
  }
}

void UnaryCall::Send() {
  stub_.emplace(channel_.Choose());
  reader_ = stub_->PrepareUnaryCall(&context_, setting_.method, request_,
                                    &queue_->queue());
  request_.Clear();
  reader_->StartCall();
  reader_->Finish(&answer_.message, &answer_.status, queue_->TagOf(*this));
}

void UnaryCall::OnEvent(bool ok) {
  if (reader_ != nullptr) {
    Finish();
  } else if (ok) {
    SendOnceHealthIsKnown();
  } else {
    Send();  // Too late: gRPC says so.
  }
}

void UnaryCall::Finish() {
  answer_.pushback = PushbackOf(context_);
  // On the stack: they may destroy the call.
  auto done = std::move(done_);
  UnaryAnswer answer = std::move(answer_);
  done(std::move(answer));
}

}  // namespace relu
