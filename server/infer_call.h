// InferCall: one ModelInfer call over gRPC.

#ifndef SERVER_INFER_CALL_H_
#define SERVER_INFER_CALL_H_

#include <optional>

#include "absl/status/status.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/byte_buffer.h"

#include "server/answer_age.h"
#include "server/arrived_call.h"
#include "server/call_pool.h"
#include "server/grpc_services.h"
#include "server/infer_exchange.h"
#include "server/queued_call.h"

namespace relu {

class ArrivedCalls;

// Used again and again:
//
//   Arm -> (kArrived) -> Prepare -> run -> Send -> (kFinished, kDone) -> ...
//
// Everything happens on the thread of its completion queue, except that the
// request may be computed, and its answer sent, by another.
class InferCall final : public QueuedCall, public ArrivedCall {
 public:
  // All of these outlive the call.
  InferCall(const GrpcServices& services, grpc::ServerCompletionQueue& queue,
            CallPool<InferCall>& pool, ArrivedCalls& arrived);

  // Waits for a client.
  void Arm();

  void OnEvent(Event event, bool ok) override;

  // Called every so often, on the thread of the queue: ends the call if its
  // answer is late.
  void LookAtAnswer();

  bool Prepare() override;
  void Send(const ArrivedCall* next) override;

 private:
  void OnDone();
  // Tells clients that retry when to do so, if that makes sense.
  void AddPushback();
  void Release();

  const GrpcServices& services_;
  grpc::ServerCompletionQueue& queue_;
  CallPool<InferCall>& pool_;
  ArrivedCalls& arrived_;

  Tag arrived_tag_{this, Event::kArrived};
  Tag finished_tag_{this, Event::kFinished};
  Tag done_tag_{this, Event::kDone};

  // New for each client. The responder refers to the context.
  std::optional<grpc::ServerContext> context_;
  std::optional<grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>> responder_;
  grpc::ByteBuffer request_bytes_;
  InferExchange::Clock::time_point arrived_at_;
  absl::Status status_;  // Of the answer.
  AnswerAge answer_age_;
  int outstanding_events_ = 0;  // Of kFinished and kDone.
};

}  // namespace relu

#endif  // SERVER_INFER_CALL_H_
