#include "client/infer_stream.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"

#include "client/client_transport.h"
#include "client/infer_message.h"
#include "client/stream_connection.h"
#include "core/base/status_macros.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

absl::StatusOr<InferResult> StreamResult(grpc::ByteBuffer buffer) {
  inference::ModelStreamInferResponse message;
  RETURN_IF_ERROR(Parse(std::move(buffer), message));
  if (!message.error_message().empty()) {
    return absl::UnknownError(message.error_message());
  }
  if (!message.has_infer_response()) {
    return absl::InternalError(
        "malformed answer: neither an error nor a response");
  }
  return FromMessage(std::unique_ptr<inference::ModelInferResponse>(
      message.release_infer_response()));
}

}  // namespace

InferStream::InferStream(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

InferStream::~InferStream() = default;

absl::Status InferStream::Send(const InferRequest& request) {
  ASSIGN_OR_RETURN(const grpc::ByteBuffer message, ToByteBuffer(request));
  return connection_->Send(message);
}

void InferStream::FinishSending() { connection_->FinishSending(); }

std::optional<absl::StatusOr<InferResult>> InferStream::Receive() {
  auto answer = connection_->Receive();
  if (!answer.has_value()) {
    return std::nullopt;
  }
  if (!answer->ok()) {
    return answer->status();
  }
  return StreamResult(**std::move(answer));
}

absl::Status InferStream::Finish() { return connection_->Finish(); }

void InferStream::Cancel() { connection_->Cancel(); }

}  // namespace relu
