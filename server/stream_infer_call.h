// StreamInferCall: one ModelStreamInfer call over gRPC: requests of one client,
// answered in their order.

#ifndef SERVER_STREAM_INFER_CALL_H_
#define SERVER_STREAM_INFER_CALL_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/byte_buffer.h"

#include "core/base/mutex.h"
#include "server/answer_age.h"
#include "server/call_pool.h"
#include "server/grpc_services.h"
#include "server/health.h"
#include "server/queued_call.h"
#include "server/stream_message.h"

namespace relu {

class ArrivedCalls;

// Reads one request after the other while there is room (StreamLimits), each
// of which then runs with whatever else has arrived; writes the answers one
// after the other, an error as an answer of its own. Ends when the client sends
// no more, leaves, or the server ends, once every request that was read has its
// answer. Used again and again.
//
// Events and reads are on the thread of its completion queue; requests are
// computed, and answers written, by any.
class StreamInferCall final : public QueuedCall, private Health::Listener {
 public:
  // All of these outlive the stream.
  StreamInferCall(const GrpcServices& services,
                  grpc::ServerCompletionQueue& queue,
                  CallPool<StreamInferCall>& pool, ArrivedCalls& arrived);
  ~StreamInferCall();

  // Waits for a client.
  void Arm();

  void OnEvent(Event event, bool ok) override;

  // Called every so often, on the thread of the queue: ends the call if an
  // answer is late.
  void LookAtAnswer();

 private:
  class Message;

  void OnHealthChange() override { Advance(); }

  void OnArrived();
  void OnRead(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnWritten(bool ok) ABSL_LOCKS_EXCLUDED(mu_);
  void OnDone() ABSL_LOCKS_EXCLUDED(mu_);

  // Nothing is written any more, and nobody waits for the requests that are not
  // answered.
  void OnClientGone() ABSL_LOCKS_EXCLUDED(mu_);

  // Reads the next request, if there may be one and there is room for it.
  void ReadNext() ABSL_LOCKS_EXCLUDED(mu_);

  // The answer to `message` is encoded. Any thread. `more`: so is, at once,
  // that to the next.
  void NoteAnswered(Message& message, bool more) ABSL_LOCKS_EXCLUDED(mu_);

  // Writes the next answer, or finishes the call, if it is time. Any thread.
  void Advance() ABSL_LOCKS_EXCLUDED(mu_);
  // What Advance() is to do. nullptr and no status: nothing.
  struct Step {
    Message* write = nullptr;
    bool more = false;  // The answer after it will follow at once.
    std::optional<absl::Status> finish;
  };
  Step NextStep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Counts an event. True if it was the last.
  bool End() ABSL_LOCKS_EXCLUDED(mu_);
  void Release() ABSL_LOCKS_EXCLUDED(mu_);

  Message& TakeMessage();
  void GiveBack(Message& message);

  const GrpcServices& services_;
  grpc::ServerCompletionQueue& queue_;
  CallPool<StreamInferCall>& pool_;
  ArrivedCalls& arrived_;

  Tag arrived_tag_{this, Event::kArrived};
  Tag read_tag_{this, Event::kRead};
  Tag written_tag_{this, Event::kWritten};
  Tag finished_tag_{this, Event::kFinished};
  Tag done_tag_{this, Event::kDone};

  // New for each client. The responder refers to the context.
  std::optional<grpc::ServerContext> context_;
  std::optional<
      grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>
      responder_;

  // --- For the thread of the queue ---
  // Every message that there is, and those not in use.
  std::vector<std::unique_ptr<Message>> messages_;
  std::vector<Message*> idle_;
  Message* reading_ = nullptr;  // What is being read; nullptr: nothing.
  // The client wants an error to end the stream, with its status.
  bool errors_end_stream_ = false;
  // When the client stops waiting.
  std::chrono::steady_clock::time_point deadline_;

  AnswerAge answer_age_;  // Of what is being written.

  Mutex mu_;
  // Events that are still to come.
  int outstanding_ ABSL_GUARDED_BY(mu_) = 0;
  // The call has arrived and was not finished.
  bool open_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool first_write_ ABSL_GUARDED_BY(mu_) = true;
  // The client sends no more.
  bool reads_ended_ ABSL_GUARDED_BY(mu_) = false;
  // Why nothing is written any more: the client has left, or an error ended the
  // stream.
  absl::Status ended_ ABSL_GUARDED_BY(mu_);
  // Requests that were read and whose answers were not written, in their order.
  Message* head_ ABSL_GUARDED_BY(mu_) = nullptr;
  Message* tail_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::size_t requests_ ABSL_GUARDED_BY(mu_) = 0;  // How many these are,
  std::size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;     // and what they hold.
  std::size_t unanswered_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace relu

#endif  // SERVER_STREAM_INFER_CALL_H_
