#include "server/json_message.h"

#include <limits>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"
#include "proto/relu.pb.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

Json MessageJson(const google::protobuf::Message& message) {
  std::string text;
  MessageToJson(message, text);
  return Json::parse(text);
}

Json FieldJson(const google::protobuf::Message& message, const char* field) {
  std::string text;
  FieldToJson(message, *message.GetDescriptor()->FindFieldByName(field), text);
  return Json::parse(text);
}

TEST(JsonMessageTest, NamesAndNumbersAreAsTritonHasThem) {
  inference::ModelMetadataResponse metadata;
  metadata.set_name("m \"1\"");
  metadata.add_versions("3");
  auto& input = *metadata.add_inputs();
  input.set_name("x");
  input.set_datatype("FP32");
  input.add_shape(-1);
  input.add_shape(9'007'199'254'740'993);
  EXPECT_EQ(MessageJson(metadata), Json::parse(R"({
    "name": "m \"1\"", "versions": ["3"], "platform": "",
    "inputs": [{"name": "x", "datatype": "FP32",
                "shape": [-1, 9007199254740993]}],
    "outputs": []})"));
}

TEST(JsonMessageTest, MessagesMapsEnumsAndFloatsAreWritten) {
  inference::ModelStatistics statistics;
  statistics.set_last_inference(UINT64_MAX);
  statistics.mutable_inference_stats()->mutable_success()->set_ns(5);
  (*statistics.mutable_response_stats())["0"].mutable_fail()->set_count(1);
  const Json written = MessageJson(statistics);
  EXPECT_EQ(written["last_inference"], UINT64_MAX);
  EXPECT_EQ(written["inference_stats"],
            Json::parse(R"({"success": {"count": 0, "ns": 5}})"));
  EXPECT_EQ(written["response_stats"],
            Json::parse(R"({"0": {"fail": {"count": 1, "ns": 0}}})"));

  inference::ModelConfig config;
  config.set_max_batch_size(8);
  config.add_input()->set_data_type(inference::TYPE_FP32);
  const Json written_config = MessageJson(config);
  EXPECT_EQ(written_config["max_batch_size"], 8);
  EXPECT_EQ(written_config["input"][0]["data_type"], "TYPE_FP32");
}

TEST(JsonMessageTest, FieldsStandForThemselves) {
  inference::RepositoryIndexResponse index;
  index.add_models()->set_name("m");
  EXPECT_EQ(FieldJson(index, "models"), Json::parse(R"(
      [{"name": "m", "version": "", "state": "", "reason": ""}])"));
  EXPECT_EQ(FieldJson(inference::RepositoryIndexResponse(), "models"),
            Json::array());
}

TEST(JsonMessageTest, SettingsAndParametersArePlainValues) {
  inference::LogSettingsResponse log;
  (*log.mutable_settings())["log_info"].set_bool_param(true);
  (*log.mutable_settings())["log_verbose_level"].set_uint32_param(2);
  (*log.mutable_settings())["log_format"].set_string_param("default");
  (*log.mutable_settings())["unset"];
  EXPECT_EQ(FieldJson(log, "settings"), Json::parse(R"({
      "log_info": true, "log_verbose_level": 2, "log_format": "default",
      "unset": null})"));

  inference::TraceSettingResponse trace;
  (*trace.mutable_settings())["trace_level"].add_value("TIMESTAMPS");
  EXPECT_EQ(FieldJson(trace, "settings"),
            Json::parse(R"({"trace_level": ["TIMESTAMPS"]})"));
}

TEST(JsonMessageTest, MapsOfNamedThingsAreLists) {
  inference::SystemSharedMemoryStatusResponse status;
  auto& region = (*status.mutable_regions())["r"];
  region.set_name("r");
  region.set_key("/k");
  region.set_byte_size(64);
  EXPECT_EQ(FieldJson(status, "regions"), Json::parse(R"(
      [{"name": "r", "key": "/k", "offset": 0, "byte_size": 64}])"));
  EXPECT_EQ(FieldJson(inference::SystemSharedMemoryStatusResponse(), "regions"),
            Json::array());
}

TEST(JsonMessageTest, KnownFieldsAreReadAndOthersIgnored) {
  inference::RepositoryIndexRequest index;
  ASSERT_TRUE(
      JsonToMessage(R"({"ready": true, "more": [1, {"x": null}]})", index)
          .ok());
  EXPECT_TRUE(index.ready());
  inference::SystemSharedMemoryRegisterRequest memory;
  ASSERT_TRUE(
      JsonToMessage(
          R"({"key": "/k", "offset": 3, "byte_size": 18446744073709551615})",
          memory)
          .ok());
  EXPECT_EQ(memory.key(), "/k");
  EXPECT_EQ(memory.byte_size(), UINT64_MAX);
}

TEST(JsonMessageTest, EmptyTextSetsNothing) {
  inference::RepositoryIndexRequest index;
  EXPECT_TRUE(JsonToMessage("", index).ok());
  inference::LogSettingsRequest log;
  EXPECT_TRUE(
      JsonToField("", *log.GetDescriptor()->FindFieldByName("settings"), log)
          .ok());
  EXPECT_EQ(log.settings_size(), 0);
}

TEST(JsonMessageTest, ParametersTakeTheFieldOfTheirType) {
  inference::RepositoryModelLoadRequest load;
  ASSERT_TRUE(JsonToMessage(R"({"parameters": {
      "config": "{}", "file:1/model.onnx": "AAECAw==", "n": -5, "b": true}})",
                            load)
                  .ok());
  const auto& parameters = load.parameters();
  EXPECT_EQ(parameters.at("config").string_param(), "{}");
  EXPECT_EQ(parameters.at("file:1/model.onnx").bytes_param(),
            std::string("\0\1\2\3", 4));
  EXPECT_EQ(parameters.at("n").int64_param(), -5);
  EXPECT_TRUE(parameters.at("b").bool_param());
}

TEST(JsonMessageTest, SettingsTakeListsAndSingleValues) {
  inference::TraceSettingRequest trace;
  const auto& settings = *trace.GetDescriptor()->FindFieldByName("settings");
  ASSERT_TRUE(JsonToField(R"({"trace_level": ["A", "B"], "trace_rate": "5",
                              "trace_file": null})",
                          settings, trace)
                  .ok());
  EXPECT_EQ(trace.settings().at("trace_level").value_size(), 2);
  EXPECT_EQ(trace.settings().at("trace_rate").value(0), "5");
  EXPECT_EQ(trace.settings().at("trace_file").value_size(), 0);
  inference::LogSettingsRequest log;
  ASSERT_TRUE(JsonToField(R"({"log_verbose_level": 3, "log_info": false})",
                          *log.GetDescriptor()->FindFieldByName("settings"),
                          log)
                  .ok());
  EXPECT_EQ(log.settings().at("log_verbose_level").uint32_param(), 3U);
  EXPECT_TRUE(log.settings().at("log_info").has_bool_param());
}

TEST(JsonMessageTest, WrongTypesAreNamed) {
  const auto error = [](const char* text, google::protobuf::Message&& message) {
    const absl::Status status = JsonToMessage(text, message);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    return std::string(status.message());
  };
  using inference::RepositoryIndexRequest;
  using inference::RepositoryModelLoadRequest;
  using inference::SystemSharedMemoryRegisterRequest;
  EXPECT_THAT(error(R"({"ready": "yes"})", RepositoryIndexRequest()),
              HasSubstr("'ready': expected true or false"));
  EXPECT_THAT(error(R"({"repository_name": 1})", RepositoryIndexRequest()),
              HasSubstr("'repository_name': expected a string"));
  EXPECT_THAT(
      error(R"({"byte_size": -1})", SystemSharedMemoryRegisterRequest()),
      HasSubstr("'byte_size': expected an integer of 0 or more"));
  EXPECT_THAT(error(R"({"parameters": []})", RepositoryModelLoadRequest()),
              HasSubstr("'parameters': expected an object"));
  EXPECT_THAT(
      error(R"({"parameters": {"p": [1]}})", RepositoryModelLoadRequest()),
      HasSubstr("parameter 'p'"));
  EXPECT_THAT(
      error(R"({"parameters": {"file:x": "%"}})", RepositoryModelLoadRequest()),
      HasSubstr("base64"));
  EXPECT_THAT(error("[1]", RepositoryIndexRequest()), HasSubstr("object"));
  EXPECT_THAT(error("{", RepositoryIndexRequest()), HasSubstr("no JSON"));
  EXPECT_THAT(error("{} {}", RepositoryIndexRequest()), HasSubstr("no JSON"));
  EXPECT_THAT(
      error(std::string(100'000, '[').c_str(), RepositoryIndexRequest()),
      HasSubstr("no JSON"));
}

TEST(JsonMessageTest, ListsOfNumbersAndMessagesAndEnumsAreRead) {
  v1::ExplainRequest request;
  ASSERT_TRUE(JsonToMessage(R"({
    "inputs": [{"name": "x", "shape": [2, 2], "data": [[1, 2.5], [3, -4]]},
               {"name": "y", "data": []}],
    "elements": [7, 0], "top_k": 3, "attribution": "ATTRIBUTION_GRADIENT"})",
                            request)
                  .ok());
  ASSERT_EQ(request.inputs_size(), 2);
  EXPECT_EQ(request.inputs(0).shape(1), 2);
  EXPECT_THAT(request.inputs(0).data(), testing::ElementsAre(1, 2.5, 3, -4));
  EXPECT_EQ(request.inputs(1).name(), "y");
  EXPECT_THAT(request.elements(), testing::ElementsAre(7, 0));
  EXPECT_EQ(request.attribution(), v1::ATTRIBUTION_GRADIENT);
}

TEST(JsonMessageTest, ItemsOfAnotherTypeAreRefused) {
  const auto error = [](std::string_view json) {
    v1::ExplainRequest request;
    return std::string(JsonToMessage(json, request).message());
  };
  EXPECT_THAT(error(R"({"inputs": [{"data": [1, "2"]}]})"),
              HasSubstr("'data': expected a number"));
  EXPECT_THAT(error(R"({"inputs": [3]})"), HasSubstr("object for InputRows"));
  EXPECT_THAT(error(R"({"inputs": {}})"),
              HasSubstr("'inputs': expected a list"));
  EXPECT_THAT(error(R"({"elements": [1.5]})"), HasSubstr("an integer"));
  EXPECT_THAT(error(R"({"attribution": "BEST"})"),
              HasSubstr("the name of a value of Attribution"));
  EXPECT_THAT(error(R"({"attribution": 1})"), HasSubstr("the name of a value"));
}

TEST(JsonMessageTest, WhatIsNotFiniteIsAString) {
  v1::RankResponse response;
  for (const float score : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity(), 0.1F}) {
    response.add_scores(score);
  }
  std::string json;
  MessageToJson(response, json);
  EXPECT_THAT(json,
              HasSubstr(R"("scores":["NaN","Infinity","-Infinity",0.1])"));
}

TEST(JsonMessageTest, FieldThatMayBeAbsentIsKnownToBeThere) {
  v1::RankRequest request;
  ASSERT_TRUE(JsonToMessage(R"({"top_k": 3})", request).ok());
  EXPECT_FALSE(request.has_element());
  ASSERT_TRUE(JsonToMessage(R"({"element": 0})", request).ok());
  EXPECT_TRUE(request.has_element());
}

}  // namespace
}  // namespace relu
