#include "client/client_transport.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"

#include "client/call_status.h"
#include "client/channels.h"
#include "client/client_options.h"
#include "client/hedged_call.h"
#include "client/serving_channel.h"
#include "client/stream_connection.h"
#include "client/unary_call.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

// Longer timeouts are cut, so that the sum with the clock cannot overflow.
constexpr milliseconds kMaxTimeout = std::chrono::hours(24 * 365);

// A UnaryCall that owns itself until it is over.
void StartAlone(ServingChannel& channel, const CallSetting& setting,
                const grpc::ByteBuffer& request, CallQueue& queue,
                absl::AnyInvocable<void(UnaryAnswer)> done) {
  auto holder = std::make_shared<std::unique_ptr<UnaryCall>>();
  *holder = std::make_unique<UnaryCall>(
      channel, setting,
      [holder, done = std::move(done)](UnaryAnswer answer) mutable {
        const std::unique_ptr<UnaryCall> call = std::move(*holder);
        done(std::move(answer));
      });
  UnaryCall& call = **holder;
  holder.reset();
  call.Start(request, queue);
}

}  // namespace

grpc::ByteBuffer ToBuffer(std::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return {&slice, 1};
}

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  std::vector<grpc::Slice> slices;
  if (buffer.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  return bytes;
}

absl::Status Parse(grpc::ByteBuffer buffer,
                   google::protobuf::MessageLite& message) {
  grpc::ProtoBufferReader reader(&buffer);
  if (!reader.status().ok() || !message.ParseFromZeroCopyStream(&reader)) {
    return absl::InternalError(
        fmt::format("malformed answer: {} bytes are no {}", buffer.Length(),
                    message.GetTypeName()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ClientTransport>> ClientTransport::Open(
    std::string_view address, const ClientOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Channels> channels,
                   Channels::Open(address, options));
  return std::make_unique<ClientTransport>(address, options,
                                           std::move(channels));
}

ClientTransport::ClientTransport(std::string_view address,
                                 const ClientOptions& options,
                                 std::unique_ptr<Channels> channels)
    : address_(address),
      options_(options),
      channels_(std::move(channels)),
      budget_(options.retry.budget_tokens, options.retry.budget_ratio) {}

milliseconds ClientTransport::TimeoutOf(const CallOptions& options) const {
  const milliseconds timeout = options.timeout == milliseconds(0)
                                   ? options_.default_timeout
                                   : options.timeout;
  // A timeout below 0 is one that has passed already.
  return std::clamp(timeout, milliseconds(-1), kMaxTimeout);
}

CallSetting ClientTransport::SettingFor(std::string method,
                                        const CallOptions& options) const {
  return {.method = std::move(method),
          .deadline = std::chrono::system_clock::now() + TimeoutOf(options),
          .token = options_.token ? options_.token() : "",
          .attempts_before = 0};
}

std::unique_ptr<InferStream::Connection> ClientTransport::OpenStream(
    std::string method, const CallOptions& options) {
  const milliseconds timeout = TimeoutOf(options);
  ServingChannel& channel = channels_->Next(/*retries=*/false);
  channel.AwaitHealth(std::chrono::system_clock::now() + timeout);
  CallSetting setting = SettingFor(std::move(method), options);
  setting.deadline = std::chrono::system_clock::time_point::max();
  return std::make_unique<InferStream::Connection>(channel.Choose(), queue_,
                                                   setting, timeout, address_);
}

absl::StatusOr<grpc::ByteBuffer> ClientTransport::Result(
    UnaryAnswer answer) const {
  RETURN_IF_ERROR(FromGrpcStatus(answer.status, address_));
  return std::move(answer.message);
}

absl::Status ClientTransport::Call(std::string_view method,
                                   const google::protobuf::MessageLite& request,
                                   const CallOptions& options,
                                   google::protobuf::MessageLite& response) {
  ASSIGN_OR_RETURN(
      grpc::ByteBuffer answer,
      CallBytes(fmt::format("/inference.GRPCInferenceService/{}", method),
                ToBuffer(request.SerializeAsString()), options));
  return Parse(std::move(answer), response);
}

absl::StatusOr<grpc::ByteBuffer> ClientTransport::CallBytes(
    const std::string& method, const grpc::ByteBuffer& request,
    const CallOptions& options) {
  const CallSetting setting = SettingFor(method, options);
  ServingChannel& channel = channels_->Next(/*retries=*/options.repeatable);
  if (method != kModelInferMethod) {
    // A server that does not serve can still be asked, and told what to serve.
    return Result(CallAndWait(channel.any(), setting, request));
  }
  channel.AwaitHealth(setting.deadline);
  return Result(CallAndWait(channel.Choose(), setting, request));
}

absl::StatusOr<grpc::ByteBuffer> ClientTransport::Infer(
    grpc::ByteBuffer request, const CallOptions& options) {
  if (!Hedges(options)) {
    return CallBytes(kModelInferMethod, request, options);
  }
  std::promise<absl::StatusOr<grpc::ByteBuffer>> promise;
  auto future = promise.get_future();
  InferAsync(std::move(request), options,
             [promise = std::move(promise)](
                 absl::StatusOr<grpc::ByteBuffer> answer) mutable {
               promise.set_value(std::move(answer));
             });
  return future.get();
}

void ClientTransport::InferAsync(
    grpc::ByteBuffer request, const CallOptions& options,
    absl::AnyInvocable<void(absl::StatusOr<grpc::ByteBuffer>)> done) {
  const CallSetting setting = SettingFor(kModelInferMethod, options);
  auto take = [this, done = std::move(done)](UnaryAnswer answer) mutable {
    done(Result(std::move(answer)));
  };
  if (Hedges(options)) {
    StartHedgedCall(*channels_, queue_, budget_, options_.hedging, setting,
                    std::move(request), std::move(take));
  } else {
    StartAlone(channels_->Next(/*retries=*/options.repeatable), setting,
               request, queue_, std::move(take));
  }
}

}  // namespace relu
