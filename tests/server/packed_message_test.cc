#include "server/packed_message.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"
#include "server/http/compression.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

using testing::HasSubstr;

TEST(PackedMessageTest, PackedMessagesAreUnpacked) {
  const std::string text(100'000, 'x');
  for (const ContentCoding coding :
       {ContentCoding::kGzip, ContentCoding::kDeflate}) {
    grpc::ByteBuffer message = ToByteBuffer(Compress(text, coding));
    EXPECT_TRUE(UnpackMessage(text.size(), message).ok());
    EXPECT_EQ(ToString(message), text);
  }
}

TEST(PackedMessageTest, WhatIsNotPackedStays) {
  inference::ModelInferRequest request;
  request.set_model_name("digits");
  for (const std::string& text :
       {std::string(), std::string("\x1f"), request.SerializeAsString()}) {
    grpc::ByteBuffer message = ToByteBuffer(text);
    EXPECT_TRUE(UnpackMessage(0, message).ok());
    EXPECT_EQ(ToString(message), text);
  }
}

// The mark may lie in two slices.
TEST(PackedMessageTest, MessagesInPiecesAreUnpacked) {
  const std::string packed = Compress("text", ContentCoding::kGzip);
  std::vector<grpc::Slice> slices;
  for (const char& byte : packed) {
    slices.emplace_back(&byte, 1);
  }
  grpc::ByteBuffer message(slices.data(), slices.size());
  EXPECT_TRUE(UnpackMessage(4, message).ok());
  EXPECT_EQ(ToString(message), "text");
}

TEST(PackedMessageTest, TheLimitIsOfWhatAMessageBecomes) {
  const std::string packed =
      Compress(std::string(1'000'001, '\0'), ContentCoding::kGzip);
  grpc::ByteBuffer message = ToByteBuffer(packed);
  const absl::Status status = UnpackMessage(1'000'000, message);
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("limit of 1000000"));
}

TEST(PackedMessageTest, WhatIsNotWholeIsRefused) {
  std::string packed = Compress("some text", ContentCoding::kGzip);
  packed.pop_back();
  grpc::ByteBuffer message = ToByteBuffer(packed);
  EXPECT_TRUE(absl::IsInvalidArgument(UnpackMessage(1000, message)));
}

// What a client of gRPC packs comes as it was sent.
TEST(PackedMessageTest, ServersTakeWhatClientsPack) {
  GrpcFixture grpc;
  for (const grpc_compression_algorithm algorithm :
       {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    SetFarDeadline(context);
    context.set_compression_algorithm(algorithm);
    inference::ModelInferResponse response;
    const grpc::Status status =
        grpc.stub().ModelInfer(&context, DigitsRequest(), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.raw_output_contents_size(), 1);
  }
}

TEST(PackedMessageTest, ServersRefuseWhatBecomesTooLong) {
  GrpcFixture grpc;
  grpc::ClientContext context;
  SetFarDeadline(context);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  inference::ModelInferRequest request = DigitsRequest();
  request.set_id(std::string(std::size_t{2} << 20, 'i'));
  inference::ModelInferResponse response;
  const grpc::Status status =
      grpc.stub().ModelInfer(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("unpacked"));
}

}  // namespace
}  // namespace relu
