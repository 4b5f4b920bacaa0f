#include "server/rest_infer_response.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

// Two outputs: "y", FP32 [1,2], and "label", INT64 [1].
inference::ModelInferResponse Response(float second = 2.0F) {
  inference::ModelInferResponse response;
  response.set_model_name("m");
  response.set_model_version("3");
  auto& y = *response.add_outputs();
  y.set_name("y");
  y.set_datatype("FP32");
  y.add_shape(1);
  y.add_shape(2);
  const float values[] = {0.5F, second};
  response.add_raw_output_contents(reinterpret_cast<const char*>(values),
                                   sizeof(values));
  auto& label = *response.add_outputs();
  label.set_name("label");
  label.set_datatype("INT64");
  label.add_shape(1);
  response.add_raw_output_contents(std::string("\5\0\0\0\0\0\0\0", 8));
  return response;
}

HttpResponse Write(const inference::ModelInferResponse& response,
                   const OutputForms& forms) {
  const auto answer = RestInferResponse(response, forms, 1000);
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.value_or(HttpResponse());
}

TEST(RestInferResponseTest, ValuesAreJsonUnlessBytesAreWanted) {
  const HttpResponse answer = Write(Response(), {});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_THAT(answer.headers, IsEmpty());
  EXPECT_EQ(Json::parse(answer.body), Json::parse(R"({
    "model_name": "m", "model_version": "3", "outputs": [
      {"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [0.5, 2]},
      {"name": "label", "datatype": "INT64", "shape": [1], "data": [5]}]})"));
}

TEST(RestInferResponseTest, BytesFollowTheJsonInTheOrderOfOutputs) {
  const HttpResponse answer =
      Write(Response(), {.usual = OutputForm::kBytes, .outputs = {}});
  EXPECT_EQ(answer.content_type, "application/octet-stream");
  ASSERT_EQ(answer.headers.size(), 1U);
  EXPECT_EQ(answer.headers[0].first, "Inference-Header-Content-Length");
  const std::size_t size = std::stoul(answer.headers[0].second);
  const Json head = Json::parse(answer.body.substr(0, size));
  EXPECT_EQ(head["outputs"][0], Json::parse(R"({
      "name": "y", "datatype": "FP32", "shape": [1, 2],
      "parameters": {"binary_data_size": 8}})"));
  EXPECT_EQ(answer.body.substr(size), Response().raw_output_contents(0) +
                                          Response().raw_output_contents(1));
}

TEST(RestInferResponseTest, EachOutputHasItsOwnForm) {
  const HttpResponse answer =
      Write(Response(), {.outputs = {OutputForm::kBytes, OutputForm::kJson}});
  const std::size_t size = std::stoul(answer.headers.at(0).second);
  const Json head = Json::parse(answer.body.substr(0, size));
  EXPECT_FALSE(head["outputs"][0].contains("data"));
  EXPECT_EQ(head["outputs"][1]["data"], Json::array({5}));
  EXPECT_EQ(answer.body.substr(size), Response().raw_output_contents(0));
}

TEST(RestInferResponseTest, OutputInSharedMemoryHasNoValues) {
  inference::ModelInferResponse response = Response();
  response.mutable_raw_output_contents(0)->clear();
  const HttpResponse answer = Write(
      response, {.outputs = {OutputForm::kSharedMemory, OutputForm::kJson}});
  EXPECT_THAT(answer.headers, IsEmpty());
  const Json body = Json::parse(answer.body);
  EXPECT_EQ(body["outputs"][0], Json::parse(R"({
      "name": "y", "datatype": "FP32", "shape": [1, 2]})"));
  EXPECT_EQ(body["outputs"][1]["data"], Json::array({5}));
}

TEST(RestInferResponseTest, EmptyBytesStillHaveTheirHeader) {
  inference::ModelInferResponse response;
  response.add_outputs()->set_datatype("FP32");
  response.add_raw_output_contents();
  EXPECT_EQ(Write(response, {.usual = OutputForm::kBytes, .outputs = {}})
                .headers.size(),
            1U);
}

TEST(RestInferResponseTest, IdAndParametersAreCarriedOver) {
  inference::ModelInferResponse response = Response();
  response.set_id("r \"1\"");
  (*response.mutable_parameters())["p"].set_int64_param(7);
  (*response.mutable_outputs(0)->mutable_parameters())["q"].set_string_param(
      "s");
  const Json body = Json::parse(Write(response, {}).body);
  EXPECT_EQ(body["id"], "r \"1\"");
  EXPECT_EQ(body["parameters"], Json::parse(R"({"p": 7})"));
  EXPECT_EQ(body["outputs"][0]["parameters"], Json::parse(R"({"q": "s"})"));
}

TEST(RestInferResponseTest, ValuesThatJsonHasNotAreRefusedUnlessAsBytes) {
  const inference::ModelInferResponse response =
      Response(std::numeric_limits<float>::infinity());
  const absl::Status status = RestInferResponse(response, {}, 1000).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("output 'y'"), HasSubstr("inf"),
                    HasSubstr("binary_data")));
  EXPECT_TRUE(RestInferResponse(
                  response, {.usual = OutputForm::kBytes, .outputs = {}}, 1000)
                  .ok());
}

TEST(RestInferResponseTest, AnswersBeyondTheLimitAreRefused) {
  EXPECT_EQ(RestInferResponse(Response(), {}, 20).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace relu
