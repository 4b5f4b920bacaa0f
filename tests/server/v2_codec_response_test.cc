// The second half of the codec: the answer.

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"
#include "server/v2_codec.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/v2_codec_testing.h"

namespace relu {
namespace {

using inference::ModelInferRequest;

TEST_F(V2CodecTest, ResponseSaysWhoAnswered) {
  ModelInferRequest message = DigitsRequest();
  message.set_id("request 7");
  ASSERT_TRUE(Take(message).ok());
  EXPECT_EQ(response_.model_name(), "digits_mlp");
  EXPECT_EQ(response_.model_version(), "1");
  EXPECT_EQ(response_.id(), "request 7");
}

TEST_F(V2CodecTest, ResponseHoldsAllOutputsIfNoneIsNamed) {
  ASSERT_TRUE(Take(IrisRequest(5)).ok());
  ASSERT_EQ(response_.outputs_size(), 2);
  EXPECT_EQ(response_.outputs(0).name(), "probabilities");
  EXPECT_EQ(response_.outputs(0).datatype(), "FP32");
  EXPECT_THAT(response_.outputs(0).shape(), testing::ElementsAre(5, 3));
  EXPECT_EQ(response_.raw_output_contents(0).size(), 60U);
  EXPECT_EQ(response_.outputs(1).name(), "label");
  EXPECT_EQ(response_.outputs(1).datatype(), "INT64");
  EXPECT_THAT(response_.outputs(1).shape(), testing::ElementsAre(5));
  EXPECT_EQ(response_.raw_output_contents(1).size(), 40U);
}

TEST_F(V2CodecTest, OutputsPointIntoTheResponse) {
  ASSERT_TRUE(Take(IrisRequest(5)).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(
        static_cast<const void*>(request_.outputs[static_cast<std::size_t>(i)]),
        static_cast<const void*>(response_.raw_output_contents(i).data()));
  }
}

TEST_F(V2CodecTest, ResponseHoldsNamedOutputsInTheirOrder) {
  ModelInferRequest message = IrisRequest(1);
  message.add_outputs()->set_name("label");
  message.add_outputs()->set_name("probabilities");
  ASSERT_TRUE(Take(message).ok());
  EXPECT_EQ(response_.outputs(0).name(), "label");
  EXPECT_EQ(response_.raw_output_contents(0).size(), 8U);
  EXPECT_EQ(response_.outputs(1).name(), "probabilities");
  EXPECT_EQ(static_cast<const void*>(request_.outputs[1]),
            static_cast<const void*>(response_.raw_output_contents(0).data()));
}

TEST_F(V2CodecTest, OutputThatIsNotNamedIsNotWanted) {
  ModelInferRequest message = IrisRequest(1);
  message.add_outputs()->set_name("label");
  ASSERT_TRUE(Take(message).ok());
  EXPECT_EQ(response_.outputs_size(), 1);
  EXPECT_EQ(request_.outputs[0], nullptr);
}

TEST_F(V2CodecTest, UnexpectedOutputReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  message.add_outputs()->set_name("DUMMY");
  ExpectInvalid(message,
                "unexpected inference output 'DUMMY' for model 'digits_mlp'");
}

TEST_F(V2CodecTest, OutputNamedTwiceReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  message.add_outputs()->set_name("output");
  message.add_outputs()->set_name("output");
  ExpectInvalid(message, "output 'output' already exists in request");
}

TEST_F(V2CodecTest, ClassesNeedRoomInTheAnswerToo) {
  ModelInferRequest message = DigitsRequest(2);
  message.add_outputs()->set_name("output");
  auto& classes =
      (*message.mutable_outputs(0)->mutable_parameters())["classification"];
  classes.set_int64_param(3);
  ASSERT_TRUE(Take(message).ok());
  EXPECT_EQ(response_.outputs(0).datatype(),
            "FP32");  // Until there are values.
  const auto model = loaded_->model();
  ASSERT_TRUE(Decode(message).ok());
  response_.Clear();
  // The values fit, the classes do not.
  EXPECT_EQ(PrepareResponse(message, *model, 100, request_, response_).code(),
            absl::StatusCode::kResourceExhausted);
  classes.set_int64_param(0);
  ExpectInvalid(message, "parameter 'classification' of output 'output'");
}

TEST_F(V2CodecTest, AnswerThatIsTooLargeReturnsResourceExhausted) {
  const ModelInferRequest message = IrisRequest(5);
  ASSERT_TRUE(Decode(message).ok());
  const auto model = loaded_->model("iris_argmax");
  // Five rows of three floats and of one label.
  EXPECT_EQ(PrepareResponse(message, *model, 99, request_, response_).code(),
            absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(Decode(message).ok());
  response_.Clear();
  EXPECT_TRUE(PrepareResponse(message, *model, 100, request_, response_).ok());
}

}  // namespace
}  // namespace relu
