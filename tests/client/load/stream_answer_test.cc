#include "client/load/stream_answer.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"

namespace relu::load {
namespace {

TEST(StreamAnswerTest, FindsTheResponseAndItsId) {
  inference::ModelStreamInferResponse message;
  auto& response = *message.mutable_infer_response();
  response.set_model_name("m");
  response.set_id("42");
  (*response.mutable_parameters())["k"].set_int64_param(7);
  response.add_raw_output_contents("bytes");
  const std::string bytes = message.SerializeAsString();
  const auto answer = ReadStreamAnswer(bytes);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->error, "");
  EXPECT_EQ(answer->id, "42");
  inference::ModelInferResponse parsed;
  ASSERT_TRUE(parsed.ParseFromString(std::string(answer->response)));
  EXPECT_EQ(parsed.raw_output_contents(0), "bytes");
}

TEST(StreamAnswerTest, FindsTheError) {
  inference::ModelStreamInferResponse message;
  message.set_error_message("no");
  const std::string bytes = message.SerializeAsString();
  EXPECT_EQ(ReadStreamAnswer(bytes)->error, "no");
  EXPECT_EQ(ReadStreamAnswer(bytes)->id, "");
}

TEST(StreamAnswerTest, RefusesWhatIsNoMessage) {
  for (const std::string& bytes : std::vector<std::string>{
           std::string("\x0A\x05xx"), std::string("\xFF"), std::string("\x0A"),
           std::string("\x12\x02\x1A\x7F"), std::string("\x0B")}) {
    EXPECT_EQ(ReadStreamAnswer(bytes).status().code(),
              absl::StatusCode::kInternal)
        << bytes;
  }
}

}  // namespace
}  // namespace relu::load
