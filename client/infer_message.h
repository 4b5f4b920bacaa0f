// Between our request and result types and the messages of the V2 protocol.

#ifndef CLIENT_INFER_MESSAGE_H_
#define CLIENT_INFER_MESSAGE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"

#include "client/infer_request.h"
#include "client/infer_result.h"
#include "proto/inference.pb.h"

namespace relu {

// Copies the tensors into raw_input_contents.
inference::ModelInferRequest ToMessage(const InferRequest& request);

// The serialized message. Copies the tensors that the request borrows, once;
// the others are referred to, and stay alive as long as the buffer.
// INVALID_ARGUMENT if it is larger than what the protocol can carry (2 GiB).
absl::StatusOr<grpc::ByteBuffer> ToByteBuffer(const InferRequest& request);

// Takes answers with raw and with typed contents. INTERNAL, naming the output
// and what is wrong, if the shapes, datatypes and contents do not fit together:
// nothing that a server sends is trusted.
absl::StatusOr<InferResult> FromMessage(
    std::unique_ptr<inference::ModelInferResponse> message);

}  // namespace relu

#endif  // CLIENT_INFER_MESSAGE_H_
