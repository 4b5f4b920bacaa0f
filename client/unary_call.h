// One call with one request and one answer, as bytes, on gRPC.

#ifndef CLIENT_UNARY_CALL_H_
#define CLIENT_UNARY_CALL_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"

#include "client/call_queue.h"
#include "client/serving_channel.h"

namespace relu {

// What a call is sent with.
struct CallSetting {
  std::string method;  // "/package.Service/Method"
  std::chrono::system_clock::time_point deadline;
  std::string token;        // Empty: none.
  int attempts_before = 0;  // Sends of the same call before this one.
};

struct UnaryAnswer {
  grpc::Status status;
  grpc::ByteBuffer message;  // If the status is OK.
  // When the server allows the call to be sent again: below 0: not at all;
  // nullopt: it says nothing.
  std::optional<std::chrono::milliseconds> pushback;
};

// Sends, and waits for the answer. Thread-safe.
UnaryAnswer CallAndWait(const std::shared_ptr<grpc::Channel>& channel,
                        const CallSetting& setting,
                        const grpc::ByteBuffer& request);

// The same without waiting: Start(), then its end is an event of a CallQueue.
class UnaryCall final : public QueueEvent {
 public:
  // `done` runs once, on the queue's thread, and may destroy the call.
  // `channel` outlives it.
  UnaryCall(ServingChannel& channel, const CallSetting& setting,
            absl::AnyInvocable<void(UnaryAnswer)> done);

  // Once; `queue` and the call must live until `done` runs. Sends as soon as it
  // is known which servers serve.
  void Start(const grpc::ByteBuffer& request, CallQueue& queue);
  // Any thread; the call then ends with CANCELLED, if it has not ended.
  void Cancel() { context_.TryCancel(); }

  void OnEvent(bool ok) override;

 private:
  void SendOnceHealthIsKnown();
  void Send();
  void Finish();

  ServingChannel& channel_;
  const CallSetting setting_;
  grpc::ClientContext context_;
  CallQueue* queue_ = nullptr;  // That of Start().
  grpc::ByteBuffer request_;    // Until it is sent.
  std::optional<grpc::GenericStub> stub_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
  UnaryAnswer answer_;
  absl::AnyInvocable<void(UnaryAnswer)> done_;
};

// The deadline, the token and the number of sends before, as gRPC takes them.
void Prepare(const CallSetting& setting, grpc::ClientContext& context);

}  // namespace relu

#endif  // CLIENT_UNARY_CALL_H_
