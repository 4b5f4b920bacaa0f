// StreamMessage: one request of a ModelStreamInfer call, and its answer.

#ifndef SERVER_STREAM_MESSAGE_H_
#define SERVER_STREAM_MESSAGE_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/support/byte_buffer.h"

#include "server/arrived_call.h"
#include "server/infer_exchange.h"

namespace relu {

// Used again and again, by one stream. Everything happens on the thread of the
// stream's completion queue, except that the request may be computed, and
// encoded, by another.
class StreamMessage : public ArrivedCall {
 public:
  using Clock = InferExchange::Clock;

  // Where the stream reads the request into.
  grpc::ByteBuffer& request_bytes() { return request_bytes_; }

  // The request has been read; the client of the stream waits until
  // `deadline`.
  void NoteArrived(Clock::time_point deadline);

  bool Prepare() override;

  // After Prepare(), and the scheduler if that was OK.
  const absl::Status& status() const { return status_; }

  // Nobody waits for the answer. On the thread of the queue, with no lock held:
  // a request that waits is completed in this call.
  void Cancel() { exchange().Cancel(); }

  // Makes the bytes of a ModelStreamInferResponse: the answer, or its error
  // with the id of the request.
  void Encode();

  // After Encode().
  const grpc::ByteBuffer& answer_bytes() const { return answer_bytes_; }

  // Lets go of everything. Then the next request may come.
  void Reset();

 protected:
  // `environment` outlives the message.
  explicit StreamMessage(const InferEnvironment& environment);
  ~StreamMessage() = default;

  // The scheduler is done with the request.
  virtual void OnComputed() = 0;

 private:
  absl::Status Parse();

  const std::size_t max_message_bytes_;
  grpc::ByteBuffer request_bytes_;
  grpc::ByteBuffer answer_bytes_;
  Clock::time_point arrived_at_;
  Clock::time_point deadline_;
  absl::Status status_;
};

}  // namespace relu

#endif  // SERVER_STREAM_MESSAGE_H_
