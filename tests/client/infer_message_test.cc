#include "client/infer_message.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "grpcpp/support/byte_buffer.h"
#include "gtest/gtest.h"

#include "client/client_transport.h"
#include "client/infer_request.h"
#include "client/infer_result.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

using inference::ModelInferResponse;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::int64_t> kShapeOfHuge = {std::int64_t{1} << 31};

// An answer with one output "y", without contents.
std::unique_ptr<ModelInferResponse> Answer(
    std::string_view datatype, const std::vector<std::int64_t>& shape) {
  auto message = std::make_unique<ModelInferResponse>();
  auto& output = *message->add_outputs();
  output.set_name("y");
  output.set_datatype(std::string(datatype));
  output.mutable_shape()->Add(shape.begin(), shape.end());
  return message;
}

absl::Status ErrorOfRaw(std::string_view datatype,
                        const std::vector<std::int64_t>& shape,
                        std::string_view contents) {
  auto message = Answer(datatype, shape);
  message->add_raw_output_contents(std::string(contents));
  return FromMessage(std::move(message)).status();
}

TEST(InferMessageTest, BufferHoldsTheSameMessage) {
  const std::vector<std::int64_t> shape = {300};
  const std::vector<std::int64_t> borrowed(300, 5);
  InferRequest request("model", "3");
  request.SetId("id").AddOutput("y");
  request.AddInput<std::int64_t>("a", shape, borrowed);
  request.AddInput<std::int64_t>("b", shape, std::vector<std::int64_t>(300, 6));
  request.AddInput<std::int64_t>("c", std::vector<std::int64_t>{1}, {7});
  request.AddInput<std::int64_t>("d", shape, std::vector<std::int64_t>(300, 8));
  request.SetParameter("flag", true)
      .SetParameter("number", std::int64_t{-1})
      .SetParameter("size", std::uint64_t{2})
      .SetParameter("real", 0.5)
      .SetParameter("text", std::string("t"));
  auto buffer = ToByteBuffer(request);
  ASSERT_TRUE(buffer.ok()) << buffer.status();
  inference::ModelInferRequest parsed;
  ASSERT_TRUE(Parse(*buffer, parsed).ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(
      parsed, ToMessage(request)));
  EXPECT_TRUE(parsed.parameters().at("flag").bool_param());
  EXPECT_EQ(parsed.parameters().at("number").int64_param(), -1);
  EXPECT_EQ(parsed.parameters().at("size").uint64_param(), 2U);
  EXPECT_EQ(parsed.parameters().at("real").double_param(), 0.5);
  EXPECT_EQ(parsed.parameters().at("text").string_param(), "t");
}

TEST(InferMessageTest, BufferKeepsWhatItRefersToAlive) {
  auto request = std::make_unique<InferRequest>("model");
  request->AddInput<std::int32_t>("x", std::vector<std::int64_t>{1'000},
                                  std::vector<std::int32_t>(1'000, 9));
  const std::weak_ptr<const void> owner = request->inputs()[0].owner;
  grpc::ByteBuffer buffer = ToByteBuffer(*request).value();
  request.reset();
  EXPECT_FALSE(owner.expired());
  inference::ModelInferRequest parsed;
  ASSERT_TRUE(Parse(buffer, parsed).ok());
  EXPECT_EQ(parsed.raw_input_contents(0)[0], 9);
  buffer.Clear();
  EXPECT_TRUE(owner.expired());
}

TEST(InferMessageTest, RequestThatIsTooLargeIsRefused) {
  // Never read: only its size matters.
  const std::span<const std::byte> huge(
      reinterpret_cast<const std::byte*>(&kShapeOfHuge), std::size_t{1} << 31);
  InferRequest request("model");
  request.AddRawInput("x", "UINT8", kShapeOfHuge, huge);
  EXPECT_EQ(ToByteBuffer(request).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(InferMessageTest, RequestHoldsNamesAndRawContents) {
  const std::vector<std::int64_t> shape = {1, 2};
  const std::vector<std::int32_t> values = {1, 2};
  InferRequest request("model", "3");
  request.SetId("id").AddOutput("y").AddInput<std::int32_t>("x", shape, values);
  const inference::ModelInferRequest message = ToMessage(request);
  EXPECT_EQ(message.model_name(), "model");
  EXPECT_EQ(message.model_version(), "3");
  EXPECT_EQ(message.id(), "id");
  EXPECT_EQ(message.outputs(0).name(), "y");
  EXPECT_EQ(message.inputs(0).name(), "x");
  EXPECT_EQ(message.inputs(0).datatype(), "INT32");
  EXPECT_THAT(message.inputs(0).shape(), ElementsAre(1, 2));
  EXPECT_FALSE(message.inputs(0).has_contents());
  EXPECT_EQ(message.raw_input_contents(0),
            std::string("\x01\0\0\0\x02\0\0\0", 8));
}

TEST(InferMessageTest, RawAnswerIsViewed) {
  auto message = Answer("FP32", {3});
  const float values[] = {1.0F, 2.0F, 3.0F};
  message->add_raw_output_contents(values, sizeof(values));
  const InferResult result = FromMessage(std::move(message)).value();
  EXPECT_THAT(result.Values<float>("y").value(), ElementsAre(1.0F, 2.0F, 3.0F));
}

TEST(InferMessageTest, TypedAnswerIsConverted) {
  auto message = Answer("FP64", {2});
  auto& contents = *message->mutable_outputs(0)->mutable_contents();
  contents.add_fp64_contents(0.5);
  contents.add_fp64_contents(-4.0);
  const InferResult result = FromMessage(std::move(message)).value();
  EXPECT_THAT(result.Values<double>("y").value(), ElementsAre(0.5, -4.0));
}

TEST(InferMessageTest, EmptyOutputIsGoodWithAndWithoutRawContents) {
  EXPECT_TRUE(ErrorOfRaw("FP32", {0, 5}, "").ok());
  const InferResult result = FromMessage(Answer("FP32", {0, 5})).value();
  EXPECT_TRUE(result.Values<float>("y").value().empty());
}

TEST(InferMessageTest, AnswerWithoutOutputsIsGood) {
  const auto result = FromMessage(std::make_unique<ModelInferResponse>());
  EXPECT_TRUE(result.value().outputs().empty());
}

TEST(InferMessageTest, ViewsAreAlignedForTheWidestType) {
  // One element lies inside of the string object, four do not.
  for (const std::int64_t count : {1, 4}) {
    auto message = Answer("FP64", {count});
    message->add_raw_output_contents(
        std::string(static_cast<std::size_t>(count) * 8, '\0'));
    const InferResult result = FromMessage(std::move(message)).value();
    const void* data = result.outputs()[0].bytes.data();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 8, 0U);
  }
}

TEST(InferMessageTest, BoolsAreMadeZeroOrOne) {
  auto message = Answer("BOOL", {3});
  message->add_raw_output_contents(std::string("\x02\x00\xFF", 3));
  const InferResult result = FromMessage(std::move(message)).value();
  EXPECT_THAT(result.Values<bool>("y").value(), ElementsAre(true, false, true));
}

TEST(InferMessageTest, BytesAreCheckedElementByElement) {
  using std::string_view_literals::operator""sv;
  EXPECT_TRUE(ErrorOfRaw("BYTES", {1}, "\x02\0\0\0ab"sv).ok());
  for (const std::string_view bad :
       {"\x02\0\0"sv, "\x02\0\0\0a"sv, "\x01\0\0\0ab"sv, ""sv}) {
    EXPECT_EQ(ErrorOfRaw("BYTES", {1}, bad).code(),
              absl::StatusCode::kInternal);
  }
}

TEST(InferMessageTest, WrongByteCountIsAnInternalErrorThatNamesIt) {
  const absl::Status status = ErrorOfRaw("FP32", {2, 2}, "12345");
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(),
            "malformed answer: output \"y\" of datatype FP32 and shape [2,2]: "
            "5 bytes, the shape wants 4 x 4");
}

TEST(InferMessageTest, WrongTypedCountIsAnInternalError) {
  auto message = Answer("INT64", {2});
  message->mutable_outputs(0)->mutable_contents()->add_int64_contents(1);
  EXPECT_EQ(FromMessage(std::move(message)).status().code(),
            absl::StatusCode::kInternal);
}

TEST(InferMessageTest,
     TypedValueOutOfRangeIsAnInternalErrorThatNamesTheOutput) {
  auto message = Answer("UINT8", {1});
  message->mutable_outputs(0)->mutable_contents()->add_uint_contents(256);
  const absl::Status status = FromMessage(std::move(message)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("output \"y\""));
}

TEST(InferMessageTest, ShapesThatOverflowAreInternalErrors) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(ErrorOfRaw("FP32", {kHuge}, "").code(),
            absl::StatusCode::kInternal);
  EXPECT_EQ(ErrorOfRaw("FP32", {kHuge, kHuge}, "").code(),
            absl::StatusCode::kInternal);
  // The bytes of this one are 2^64: 0 if they were not checked.
  EXPECT_EQ(ErrorOfRaw("FP64", {1LL << 61}, "").code(),
            absl::StatusCode::kInternal);
  EXPECT_EQ(ErrorOfRaw("BYTES", {kHuge}, "").code(),
            absl::StatusCode::kInternal);
  EXPECT_EQ(ErrorOfRaw("FP32", {-1}, "").code(), absl::StatusCode::kInternal);
}

TEST(InferMessageTest, UnknownDatatypeIsAnInternalError) {
  EXPECT_THAT(std::string(ErrorOfRaw("FP7", {1}, "1234").message()),
              HasSubstr("there is no such datatype"));
}

TEST(InferMessageTest, WrongNumberOfRawContentsIsAnInternalError) {
  auto message = Answer("FP32", {1});
  message->add_raw_output_contents("1234");
  message->add_raw_output_contents("1234");
  const absl::Status status = FromMessage(std::move(message)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(),
            "malformed answer: 1 outputs, but 2 raw_output_contents");
}

}  // namespace
}  // namespace relu
