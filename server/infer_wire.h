// The messages of ModelInfer and ModelStreamInfer from and to gRPC's buffers.

#ifndef SERVER_INFER_WIRE_H_
#define SERVER_INFER_WIRE_H_

#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/support/byte_buffer.h"

namespace inference {
class ModelInferRequest;
class ModelInferResponse;
}  // namespace inference

namespace relu {

// INVALID_ARGUMENT if the bytes are no request. `bytes` is only read.
absl::Status ParseInferRequest(grpc::ByteBuffer& bytes,
                               inference::ModelInferRequest& request);

// `bytes` is empty. INTERNAL if the answer is too large for protobuf, which the
// limit of an answer prevents.
absl::Status SerializeInferResponse(
    const inference::ModelInferResponse& response, grpc::ByteBuffer& bytes);

// The same as a ModelStreamInferResponse, with the parameter
// triton_final_response that clients of streams look for.
absl::Status SerializeStreamResponse(
    const inference::ModelInferResponse& response, grpc::ByteBuffer& bytes);

// A ModelStreamInferResponse that says that `request` has failed.
grpc::ByteBuffer SerializeStreamError(
    const absl::Status& status, const inference::ModelInferRequest& request);

}  // namespace relu

#endif  // SERVER_INFER_WIRE_H_
