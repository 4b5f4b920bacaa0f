#include "client/cli/load_requests.h"

#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/load/message_reader.h"
#include "client/load/mix.h"
#include "proto/inference.pb.h"
#include "tests/client/cli/cli_support.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A model with one FP32 input "x" of two columns, which comes back as it is.
FakeAnswers TwoColumns() {
  FakeAnswers answers;
  answers.AddInput("x", "FP32", {-1, 2});
  return answers;
}

absl::StatusOr<load::Mix> MixOf(const FakeServer& server,
                                const LoadOptions& options,
                                const std::string& standard_input = "") {
  const auto client = InferenceClient::Create(server.address()).value();
  std::istringstream stream(standard_input);
  return MakeMix(*client, options, stream);
}

LoadOptions For(std::vector<std::string> models) {
  LoadOptions options;
  options.models = std::move(models);
  return options;
}

std::string MixError(const absl::StatusOr<load::Mix>& mix) {
  EXPECT_EQ(mix.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(mix.status().message());
}

inference::ModelInferRequest ParseRequest(const load::Request& request) {
  inference::ModelInferRequest message;
  EXPECT_TRUE(message.ParseFromString(
      request.message.substr(load::kMessagePrefixBytes)));
  return message;
}

TEST(LoadRequestsTest, MakesUpARequestForEachBatchOfRows) {
  const FakeServer server(TwoColumns());
  LoadOptions options = For({"m"});
  options.batch_rows = 3;
  options.made_up_rows = 10;
  const auto mix = MixOf(server, options);
  ASSERT_TRUE(mix.ok()) << mix.status();
  ASSERT_EQ(mix->size(), 1U);
  ASSERT_EQ((*mix)[0].requests.size(), 3U);  // One row is left over.
  const auto first = ParseRequest((*mix)[0].requests[0]);
  EXPECT_EQ(first.model_name(), "m");
  EXPECT_THAT(first.inputs(0).shape(), ElementsAre(3, 2));
  EXPECT_EQ(first.raw_input_contents(0).size(), 3U * 2 * 4);
  EXPECT_EQ((*mix)[0].requests[0].rows, 3);
  EXPECT_NE((*mix)[0].requests[0].message, (*mix)[0].requests[1].message);
}

TEST(LoadRequestsTest, TakesRowsOfAFile) {
  const FakeServer server(TwoColumns());
  LoadOptions options = For({"m"});
  options.input = "-";
  options.label = "last";
  const auto mix = MixOf(server, options, "1,2,0\n3,4,1\n");
  ASSERT_TRUE(mix.ok()) << mix.status();
  ASSERT_EQ((*mix)[0].requests.size(), 2U);
  EXPECT_EQ(ParseRequest((*mix)[0].requests[1]).raw_input_contents(0),
            BytesOf<float>({3, 4}));
}

TEST(LoadRequestsTest, WeightsShareOutTheCalls) {
  const FakeServer server(TwoColumns());
  const auto mix = MixOf(server, For({"a=2.5", "b"}));
  ASSERT_TRUE(mix.ok()) << mix.status();
  EXPECT_EQ((*mix)[0].name, "a");
  EXPECT_EQ((*mix)[0].weight, 2.5);
  EXPECT_EQ((*mix)[1].weight, 1);
  EXPECT_EQ((*mix)[1].requests[0].model, 1U);
  for (const std::string& wrong :
       std::vector<std::string>{"a=", "a=0", "a=-1", "a=x", "a=1e10"}) {
    EXPECT_THAT(MixError(MixOf(server, For({wrong}))), HasSubstr("weight"));
  }
}

TEST(LoadRequestsTest, ContentsAndStreamsShapeTheMessage) {
  const FakeServer server(TwoColumns());
  LoadOptions options = For({"m"});
  options.typed = true;
  options.streams = 2;
  options.outputs = {"y"};
  options.version = "3";
  const auto mix = MixOf(server, options);
  ASSERT_TRUE(mix.ok()) << mix.status();
  const auto message = ParseRequest((*mix)[0].requests[0]);
  EXPECT_EQ(message.raw_input_contents_size(), 0);
  EXPECT_EQ(message.inputs(0).contents().fp32_contents_size(), 2);
  EXPECT_EQ(message.id().size(), load::kIdBytes);
  EXPECT_EQ(message.outputs(0).name(), "y");
  EXPECT_EQ(message.model_version(), "3");
}

TEST(LoadRequestsTest, CheckExpectsTheAnswersOfTheIdleServer) {
  const FakeServer server(TwoColumns());
  LoadOptions options = For({"m"});
  options.check = true;
  const auto mix = MixOf(server, options);
  ASSERT_TRUE(mix.ok()) << mix.status();
  const load::Request& request = (*mix)[0].requests[0];
  inference::ModelInferResponse answer;
  ASSERT_TRUE(Echo(ParseRequest(request), answer).ok());
  EXPECT_EQ(request.expected->Difference(answer.SerializeAsString()), "");
  answer.mutable_raw_output_contents(0)->back() ^= 1;
  EXPECT_NE(request.expected->Difference(answer.SerializeAsString()), "");
}

TEST(LoadRequestsTest, ExpectTakesTheRowsOfAFile) {
  const FakeServer server(TwoColumns());
  const TemporaryFolder folder;
  LoadOptions options = For({"m"});
  options.input = "-";
  options.expect = {
      "x=" + folder.Write("x.npy", NpyBytes("<f4", "(2, 2)",
                                            BytesOf<float>({1, 2, 3, 4})))};
  const auto mix = MixOf(server, options, "1,2\n3,4\n");
  ASSERT_TRUE(mix.ok()) << mix.status();
  const load::Request& second = (*mix)[0].requests[1];
  inference::ModelInferResponse answer;
  ASSERT_TRUE(Echo(ParseRequest(second), answer).ok());
  EXPECT_EQ(second.expected->Difference(answer.SerializeAsString()), "");
  EXPECT_NE(
      (*mix)[0].requests[0].expected->Difference(answer.SerializeAsString()),
      "");
  EXPECT_THAT(MixError(MixOf(server, options, "1,2\n")), HasSubstr("1 rows"));
  options.expect = {"x"};
  EXPECT_THAT(MixError(MixOf(server, options, "1,2\n")),
              HasSubstr("NAME=FILE"));
}

TEST(LoadRequestsTest, OptionsThatDoNotFitAreRefused) {
  const FakeServer server(TwoColumns());
  LoadOptions two = For({"a", "b"});
  two.input = "-";
  EXPECT_THAT(MixError(MixOf(server, two, "1,2\n")), HasSubstr("--input"));
  LoadOptions few = For({"m"});
  few.input = "-";
  few.batch_rows = 2;
  EXPECT_THAT(MixError(MixOf(server, few, "1,2\n")),
              HasSubstr("a request has"));
}

TEST(LoadRequestsTest, ErrorsOfTheServerArePassedOn) {
  FakeAnswers answers = TwoColumns();
  answers.status = {grpc::StatusCode::NOT_FOUND, "no such model"};
  const FakeServer server(std::move(answers));
  EXPECT_EQ(MixOf(server, For({"m"})).status(),
            absl::NotFoundError("no such model"));
}

TEST(LoadRequestsTest, MadeUpRowsAreRandomButAlwaysTheSame) {
  const ModelInputs inputs{.inputs = {Input("x", DataType::kFp32, {3}),
                                      Input("n", DataType::kInt64, {2}),
                                      Input("b", DataType::kBool, {1})},
                           .fixed_batch_rows = std::nullopt};
  const auto rows = MakeUpRows(inputs, 200, /*seed=*/1);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->count, 200);
  const auto floats = Elements<float>(rows->inputs[0].bytes);
  ASSERT_EQ(floats.size(), 600U);
  EXPECT_THAT(floats, testing::Contains(testing::Gt(0.5F)));
  EXPECT_THAT(floats, testing::Contains(testing::Lt(-0.5F)));
  const auto integers = Elements<std::int64_t>(rows->inputs[1].bytes);
  EXPECT_THAT(integers, testing::Each(testing::AnyOf(0, 1)));
  EXPECT_THAT(integers, testing::Contains(1));
  EXPECT_EQ(MakeUpRows(inputs, 200, 1)->inputs[0].bytes, rows->inputs[0].bytes);
  EXPECT_NE(MakeUpRows(inputs, 200, 2)->inputs[0].bytes, rows->inputs[0].bytes);
}

TEST(LoadRequestsTest, RowsThatCannotBeMadeUpAreRefused) {
  EXPECT_EQ(MakeUpRows({.inputs = {Input("x", DataType::kFp32, {-1})},
                        .fixed_batch_rows = std::nullopt},
                       1, 1)
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MakeUpRows({.inputs = {Input("x", DataType::kFp32, {1 << 30})},
                        .fixed_batch_rows = std::nullopt},
                       64, 1)
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
