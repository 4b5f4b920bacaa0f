#include "server/infer_wire.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/proto_buffer_writer.h"

#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "server/text.h"

namespace relu {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

// Bytes of an error's text, as of the status of a unary call.
constexpr std::size_t kMaxErrorBytes = 2000;

absl::Status CannotSerialize() {
  return absl::InternalError("the answer cannot be serialized");
}

// The bytes of a ModelInferResponse with that parameter and nothing else: what
// is appended to a message is part of it.
std::string FinalResponseBytes() {
  inference::ModelInferResponse response;
  (*response.mutable_parameters())["triton_final_response"].set_bool_param(
      true);
  return response.SerializeAsString();
}

}  // namespace

absl::Status ParseInferRequest(grpc::ByteBuffer& bytes,
                               inference::ModelInferRequest& request) {
  grpc::ProtoBufferReader reader(&bytes);
  if (reader.status().ok() && request.ParseFromZeroCopyStream(&reader)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      fmt::format("the request of {} bytes is no inference.ModelInferRequest",
                  bytes.Length()));
}

absl::Status SerializeInferResponse(
    const inference::ModelInferResponse& response, grpc::ByteBuffer& bytes) {
  bool own = false;
  const grpc::Status status =
      grpc::SerializationTraits<inference::ModelInferResponse>::Serialize(
          response, &bytes, &own);
  return status.ok() ? absl::OkStatus() : CannotSerialize();
}

// Written field by field: a message around the answer would copy it.
absl::Status SerializeStreamResponse(
    const inference::ModelInferResponse& response, grpc::ByteBuffer& bytes) {
  static const std::string final_response = FinalResponseBytes();
  constexpr std::uint32_t kTag = WireFormatLite::MakeTag(
      inference::ModelStreamInferResponse::kInferResponseFieldNumber,
      WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  const std::size_t inner = response.ByteSizeLong() + final_response.size();
  const std::size_t total =
      CodedOutputStream::VarintSize32(kTag) +
      CodedOutputStream::VarintSize32(static_cast<std::uint32_t>(inner)) +
      inner;
  if (total > std::numeric_limits<int>::max()) {
    return CannotSerialize();
  }
  grpc::ProtoBufferWriter writer(
      &bytes, grpc::kProtoBufferWriterMaxBufferLength, static_cast<int>(total));
  CodedOutputStream out(&writer);
  out.WriteTag(kTag);
  out.WriteVarint32(static_cast<std::uint32_t>(inner));
  response.SerializeWithCachedSizes(&out);
  out.WriteString(final_response);
  return out.HadError() ? CannotSerialize() : absl::OkStatus();
}

grpc::ByteBuffer SerializeStreamError(
    const absl::Status& status, const inference::ModelInferRequest& request) {
  inference::ModelStreamInferResponse message;
  message.set_error_message(Printable(
      std::string_view(status.message().data(), status.message().size()),
      kMaxErrorBytes));
  // So that the client knows which request has failed.
  inference::ModelInferResponse& response = *message.mutable_infer_response();
  response.set_id(request.id());
  response.set_model_name(request.model_name());
  response.set_model_version(request.model_version());
  (*response.mutable_parameters())["triton_final_response"].set_bool_param(
      true);
  const std::string bytes = message.SerializeAsString();
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace relu
