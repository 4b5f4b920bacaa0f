// GenericCall: one call over gRPC of any method but ModelInfer.

#ifndef SERVER_GENERIC_CALL_H_
#define SERVER_GENERIC_CALL_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/support/byte_buffer.h"

#include "core/base/in_flight_bytes.h"
#include "core/base/mutex.h"
#include "server/answer_age.h"
#include "server/call_pool.h"
#include "server/grpc_services.h"
#include "server/health.h"
#include "server/queued_call.h"
#include "server/rpc_table.h"

namespace relu {

// Looks the method up in the table of RPCs and answers it:
//
//   unary         read -> write and finish
//   deferred      read -> ... -> write and finish
//   stream        read -> write -> read -> ... -> finish
//   health watch  read -> write, and again at each change, until the client or
//                 the server goes
//
// Used again and again. Runs on the thread of its completion queue, but for
// changes of health and deferred answers, which come from any thread.
class GenericCall final : public QueuedCall, private Health::Listener {
 public:
  // All of these outlive the call.
  GenericCall(const GrpcServices& services, grpc::ServerCompletionQueue& queue,
              CallPool<GenericCall>& pool, ArrivedCalls& arrived);

  // Waits for a client.
  void Arm();

  void OnEvent(Event event, bool ok) override;

  // Called every so often, on the thread of the queue: ends the call if an
  // answer is late.
  void LookAtAnswer();

 private:
  void OnHealthChange() override;

  void OnArrived();
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnDone();

  // Each starts an operation, unless the call has been finished.
  void Read();
  void Write(std::string_view message);
  void WriteAndFinish(std::string_view message);
  void Finish(const absl::Status& status);

  // An answer of so many bytes goes to gRPC.
  void StartAnswer(std::size_t bytes);
  void EndAnswer();

  // Answers `request` when the answer is there.
  void Defer(std::string_view request) ABSL_LOCKS_EXCLUDED(mu_);

  // Watches the health of `service`.
  void Watch(const std::string& service);

  // Writes the health if it changed; finishes if the client or the server is
  // going. Waits for a write that is under way. Any thread.
  void Advance() ABSL_LOCKS_EXCLUDED(mu_);

  // Counts an operation whose event is then awaited. False if the call has been
  // finished. `last`: this operation finishes it.
  bool Begin(bool last) ABSL_LOCKS_EXCLUDED(mu_);

  // Counts an event. True if it was the last.
  bool End() ABSL_LOCKS_EXCLUDED(mu_);
  void Release();

  const GrpcServices& services_;
  grpc::ServerCompletionQueue& queue_;
  CallPool<GenericCall>& pool_;
  ArrivedCalls& arrived_;  // Of the thread.

  Tag arrived_tag_{this, Event::kArrived};
  Tag read_tag_{this, Event::kRead};
  Tag written_tag_{this, Event::kWritten};
  Tag finished_tag_{this, Event::kFinished};
  Tag done_tag_{this, Event::kDone};

  // New for each client. The stream refers to the context.
  std::optional<grpc::GenericServerContext> context_;
  std::optional<grpc::GenericServerAsyncReaderWriter> stream_;
  grpc::ByteBuffer request_bytes_;
  const Rpc* rpc_ = nullptr;  // Of the table of RPCs.
  // Of a deferred answer, if it can be cancelled. The queue's thread alone.
  Rpc::Cancel cancel_;

  // Of the answer that is being written.
  AnswerAge answer_age_;
  HeldBytes held_;

  Mutex mu_;
  // Events that are still to come.
  int outstanding_ ABSL_GUARDED_BY(mu_) = 0;
  // The call has arrived and was not finished.
  bool open_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool client_gone_ ABSL_GUARDED_BY(mu_) = false;
  // The service whose health is watched, and what the client was told last.
  std::optional<std::string> watched_ ABSL_GUARDED_BY(mu_);
  std::optional<ServingStatus> told_ ABSL_GUARDED_BY(mu_);
};

}  // namespace relu

#endif  // SERVER_GENERIC_CALL_H_
