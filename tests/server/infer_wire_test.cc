#include "server/infer_wire.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "grpcpp/support/byte_buffer.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

inference::ModelInferResponse ResponseOf(std::size_t value_bytes) {
  inference::ModelInferResponse response;
  response.set_model_name("m");
  response.set_model_version("3");
  response.set_id("seven");
  response.add_outputs()->set_name("y");
  response.add_raw_output_contents()->assign(value_bytes, 'v');
  return response;
}

inference::ModelStreamInferResponse ParseStream(const grpc::ByteBuffer& bytes) {
  inference::ModelStreamInferResponse message;
  EXPECT_TRUE(message.ParseFromString(ToString(bytes)));
  return message;
}

TEST(InferWireTest, RequestIsParsed) {
  grpc::ByteBuffer bytes = ToByteBuffer(DigitsRequest(2).SerializeAsString());
  inference::ModelInferRequest request;

  ASSERT_TRUE(ParseInferRequest(bytes, request).ok());

  EXPECT_EQ(request.SerializeAsString(), DigitsRequest(2).SerializeAsString());
}

TEST(InferWireTest, BytesThatAreNoRequestReturnInvalidArgument) {
  grpc::ByteBuffer bytes = ToByteBuffer("\x0a\x7f");
  inference::ModelInferRequest request;

  const absl::Status status = ParseInferRequest(bytes, request);

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "the request of 2 bytes is no inference.ModelInferRequest");
}

TEST(InferWireTest, ResponseOfEverySizeIsSerialized) {
  // Inlined, of one slice and of several.
  for (const std::size_t size : {0U, 1U, 100U, 5000U, 3U << 20}) {
    grpc::ByteBuffer bytes;
    ASSERT_TRUE(SerializeInferResponse(ResponseOf(size), bytes).ok());
    EXPECT_EQ(ToString(bytes), ResponseOf(size).SerializeAsString());
  }
}

TEST(InferWireTest, StreamResponseHoldsTheResponseAndThatItIsFinal) {
  for (const std::size_t size : {0U, 1U, 100U, 5000U, 3U << 20}) {
    grpc::ByteBuffer bytes;
    ASSERT_TRUE(SerializeStreamResponse(ResponseOf(size), bytes).ok());

    inference::ModelStreamInferResponse message = ParseStream(bytes);
    EXPECT_EQ(message.error_message(), "");
    inference::ModelInferResponse& response = *message.mutable_infer_response();
    EXPECT_TRUE(response.parameters().at("triton_final_response").bool_param());
    response.clear_parameters();
    EXPECT_EQ(response.SerializeAsString(),
              ResponseOf(size).SerializeAsString());
  }
}

TEST(InferWireTest, StreamErrorNamesTheRequest) {
  inference::ModelInferRequest request;
  request.set_id("seven");
  request.set_model_name("m");

  const auto message = ParseStream(
      SerializeStreamError(absl::InternalError("it\nbroke"), request));

  EXPECT_EQ(message.error_message(), "it\\nbroke");
  EXPECT_EQ(message.infer_response().id(), "seven");
  EXPECT_EQ(message.infer_response().model_name(), "m");
  EXPECT_TRUE(message.infer_response()
                  .parameters()
                  .at("triton_final_response")
                  .bool_param());
}

TEST(InferWireTest, TextOfAStreamErrorIsBounded) {
  const auto message = ParseStream(
      SerializeStreamError(absl::InternalError(std::string(1 << 20, 'x')), {}));

  EXPECT_LT(message.error_message().size(), 2100U);
}

}  // namespace
}  // namespace relu
