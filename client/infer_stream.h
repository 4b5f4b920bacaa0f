// InferStream: many inferences over one stream (ModelStreamInfer of Triton).
//
// This header is installed; it includes neither gRPC nor protobuf.

#ifndef CLIENT_INFER_STREAM_H_
#define CLIENT_INFER_STREAM_H_

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/infer_request.h"
#include "client/infer_result.h"

namespace relu {

// The server answers in the order of the requests; give each an id to be sure.
// One thread may send while another receives; several may not do the same. Must
// end before its client does.
class InferStream {
 public:
  class Connection;  // The stream itself.
  // For InferenceClient only.
  explicit InferStream(std::unique_ptr<Connection> connection);
  // Cancels what was not received.
  ~InferStream();
  InferStream(const InferStream&) = delete;
  InferStream& operator=(const InferStream&) = delete;

  // Hands a request over. Waits while the one before is not sent: the server
  // takes no more. DEADLINE_EXCEEDED if that lasts longer than the stream's
  // timeout; UNAVAILABLE if the stream has ended, and Finish() says why.
  absl::Status Send(const InferRequest& request);

  // No more requests follow. Answers may still come.
  void FinishSending();

  // Waits for the next answer. nullopt: the stream has ended. DEADLINE_EXCEEDED
  // if none came within the stream's timeout; one may wait again. Any other
  // error is that of one request, with code UNKNOWN as the protocol has no
  // codes there, and the stream goes on.
  std::optional<absl::StatusOr<InferResult>> Receive();

  // Ends sending, leaves out the answers that were not received, and returns
  // the server's status of the stream; cancels after the stream's timeout.
  absl::Status Finish();

  // Ends it at once. Any thread.
  void Cancel();

 private:
  std::unique_ptr<Connection> connection_;
};

}  // namespace relu

#endif  // CLIENT_INFER_STREAM_H_
