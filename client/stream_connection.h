// What an InferStream stands on: one ModelStreamInfer call, whose events come
// to a CallQueue. Apart from infer_stream.h, which is installed and must not
// need gRPC.

#ifndef CLIENT_STREAM_CONNECTION_H_
#define CLIENT_STREAM_CONNECTION_H_

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"

#include "client/call_queue.h"
#include "client/infer_stream.h"
#include "client/unary_call.h"
#include "core/base/mutex.h"

namespace relu {

inline constexpr char kStreamMethod[] =
    "/inference.GRPCInferenceService/ModelStreamInfer";

// Thread-safe.
class InferStream::Connection {
 public:
  // `setting` has no deadline: each operation has `timeout`.
  Connection(const std::shared_ptr<grpc::Channel>& channel, CallQueue& queue,
             const CallSetting& setting, std::chrono::milliseconds timeout,
             std::string address);
  // Cancels, and waits for the last event.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // See InferStream for these.
  absl::Status Send(const grpc::ByteBuffer& message) ABSL_LOCKS_EXCLUDED(mu_);
  void FinishSending() ABSL_LOCKS_EXCLUDED(mu_);
  std::optional<absl::StatusOr<grpc::ByteBuffer>> Receive()
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Finish() ABSL_LOCKS_EXCLUDED(mu_);
  void Cancel() { context_.TryCancel(); }

 private:
  using Handler = void (Connection::*)(bool);

  // Calls a function of the connection when its operation is over.
  class Event final : public QueueEvent {
   public:
    Event(Connection& connection, Handler handler)
        : connection_(connection), handler_(handler) {}
    void OnEvent(bool ok) override { (connection_.*handler_)(ok); }

   private:
    Connection& connection_;
    const Handler handler_;
  };

  void OnStarted(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnRead(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnWritten(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnFinished(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void ReadNext();
  // Waits until a message may be written, and claims that. The claim is given
  // back by OnWritten().
  absl::Status ClaimWrite() ABSL_LOCKS_EXCLUDED(mu_);
  std::chrono::steady_clock::time_point Deadline() const;

  CallQueue& queue_;
  const std::chrono::milliseconds timeout_;
  const std::string address_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  Event started_{*this, &Connection::OnStarted};
  Event read_{*this, &Connection::OnRead};
  Event written_{*this, &Connection::OnWritten};
  Event finished_{*this, &Connection::OnFinished};
  grpc::ByteBuffer incoming_;  // Of the read that is under way.
  grpc::Status status_;        // Once `over_`.
  Mutex mu_;
  CondVar changed_;
  std::deque<grpc::ByteBuffer> answers_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = true;  // Or it has not started yet.
  bool sending_over_ ABSL_GUARDED_BY(mu_) = false;
  bool read_paused_ ABSL_GUARDED_BY(mu_) = false;  // Answers are not taken.
  bool discarding_ ABSL_GUARDED_BY(mu_) = false;   // And need not be.
  bool over_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace relu

#endif  // CLIENT_STREAM_CONNECTION_H_
