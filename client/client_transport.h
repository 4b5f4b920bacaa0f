// ClientTransport: how an InferenceClient's calls go to its servers.

#ifndef CLIENT_CLIENT_TRANSPORT_H_
#define CLIENT_CLIENT_TRANSPORT_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/byte_buffer.h"

#include "client/call_queue.h"
#include "client/channels.h"
#include "client/client_options.h"
#include "client/infer_stream.h"
#include "client/retry_budget.h"
#include "client/unary_call.h"

namespace relu {

inline constexpr char kModelInferMethod[] =
    "/inference.GRPCInferenceService/ModelInfer";

// Thread-safe.
class ClientTransport {
 public:
  // The errors of Channels::Open().
  static absl::StatusOr<std::unique_ptr<ClientTransport>> Open(
      std::string_view address, const ClientOptions& options);

  // For Open() only.
  ClientTransport(std::string_view address, const ClientOptions& options,
                  std::unique_ptr<Channels> channels);

  // Calls `method` of GRPCInferenceService and waits for the answer.
  absl::Status Call(std::string_view method,
                    const google::protobuf::MessageLite& request,
                    const CallOptions& options,
                    google::protobuf::MessageLite& response);
  // The same for any method, "/package.Service/Method", with bytes.
  absl::StatusOr<grpc::ByteBuffer> CallBytes(const std::string& method,
                                             const grpc::ByteBuffer& request,
                                             const CallOptions& options);

  // ModelInfer, hedged if the options say so and `options.repeatable`.
  absl::StatusOr<grpc::ByteBuffer> Infer(grpc::ByteBuffer request,
                                         const CallOptions& options);
  // The same without waiting. `done` runs once, on a thread of ours.
  void InferAsync(
      grpc::ByteBuffer request, const CallOptions& options,
      absl::AnyInvocable<void(absl::StatusOr<grpc::ByteBuffer>)> done);

  // Opens a stream of `method`; options.timeout is that of its operations.
  std::unique_ptr<InferStream::Connection> OpenStream(
      std::string method, const CallOptions& options);

  // How long a call may take.
  std::chrono::milliseconds TimeoutOf(const CallOptions& options) const;

 private:
  CallSetting SettingFor(std::string method, const CallOptions& options) const;
  bool Hedges(const CallOptions& options) const {
    return options.repeatable && options_.hedging.max_attempts > 1;
  }
  absl::StatusOr<grpc::ByteBuffer> Result(UnaryAnswer answer) const;

  const std::string address_;
  const ClientOptions options_;
  const std::unique_ptr<Channels> channels_;
  RetryBudget budget_;  // Of hedging; gRPC keeps one of its own for retries.
  // Destroyed first: waits for the calls in flight.
  CallQueue queue_;
};

// Bytes of messages, to and from what gRPC sends.
grpc::ByteBuffer ToBuffer(std::string_view bytes);
std::string BytesOf(const grpc::ByteBuffer& buffer);
// INTERNAL if `buffer` is no such message.
absl::Status Parse(grpc::ByteBuffer buffer,
                   google::protobuf::MessageLite& message);

}  // namespace relu

#endif  // CLIENT_CLIENT_TRANSPORT_H_
