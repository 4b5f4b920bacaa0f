#include "server/rest_infer_request.h"

#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RestInferRequestTest : public testing::Test {
 protected:
  // `binary` follows the JSON.
  absl::Status Read(const std::string& json, const std::string& binary = "",
                    std::size_t max_bytes = 1000) {
    message_.Clear();
    std::string body = json + binary;
    const absl::Status status =
        reader_.Read(body, json.size(), max_bytes, message_, forms_);
    EXPECT_EQ(body, json + binary);
    return status;
  }

  std::string Error(const std::string& json, const std::string& binary = "") {
    const absl::Status status = Read(json, binary);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
    return std::string(status.message());
  }

  std::vector<float> Floats(int input) {
    const std::string& bytes = message_.raw_input_contents(input);
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  RestInferReader reader_;
  inference::ModelInferRequest message_;
  OutputForms forms_;
};

TEST_F(RestInferRequestTest, WholeRequestBecomesItsMessage) {
  ASSERT_TRUE(Read(R"({
    "id": "r-1",
    "parameters": {"priority": 2, "timeout": 18446744073709551615, "x": 0.5,
                   "text": "t", "flag": true},
    "inputs": [
      {"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 2]},
      {"name": "b", "shape": [2], "datatype": "INT8", "data": [1, -1],
       "parameters": {"p": -3}}],
    "outputs": [{"name": "y", "parameters": {"classification": 3}},
                {"name": "z"}]})")
                  .ok());
  EXPECT_EQ(message_.id(), "r-1");
  EXPECT_EQ(message_.parameters().at("priority").int64_param(), 2);
  EXPECT_EQ(message_.parameters().at("timeout").uint64_param(), UINT64_MAX);
  EXPECT_EQ(message_.parameters().at("x").double_param(), 0.5);
  EXPECT_EQ(message_.parameters().at("text").string_param(), "t");
  EXPECT_TRUE(message_.parameters().at("flag").bool_param());
  ASSERT_EQ(message_.inputs_size(), 2);
  EXPECT_EQ(message_.inputs(0).name(), "a");
  EXPECT_EQ(message_.inputs(0).datatype(), "FP32");
  EXPECT_THAT(message_.inputs(0).shape(), ElementsAre(1, 2));
  EXPECT_THAT(Floats(0), ElementsAre(0.5F, 2.0F));
  EXPECT_EQ(message_.inputs(1).parameters().at("p").int64_param(), -3);
  EXPECT_EQ(message_.raw_input_contents(1), "\x01\xff");
  ASSERT_EQ(message_.outputs_size(), 2);
  EXPECT_EQ(message_.outputs(0).parameters().at("classification").int64_param(),
            3);
  EXPECT_EQ(message_.outputs(1).name(), "z");
}

TEST_F(RestInferRequestTest, TheOrderOfMembersDoesNotMatter) {
  ASSERT_TRUE(Read(R"({"outputs": [], "inputs": [
      {"data": [[1], [2]], "datatype": "FP32", "shape": [2, 1], "name": "a"}]})")
                  .ok());
  EXPECT_EQ(message_.inputs(0).name(), "a");
  EXPECT_THAT(Floats(0), ElementsAre(1.0F, 2.0F));
}

TEST_F(RestInferRequestTest, UnknownMembersAreIgnored) {
  ASSERT_TRUE(Read(R"({"more": [{"deep": [[1]]}], "inputs": [
      {"name": "a", "what": {}, "shape": [1], "datatype": "FP32",
       "data": [1]}]})")
                  .ok());
  EXPECT_THAT(Floats(0), ElementsAre(1.0F));
}

TEST_F(RestInferRequestTest, StringsAreUnescaped) {
  ASSERT_TRUE(Read(R"({"id": "\u00fc\ud83d\ude00\"\/", "inputs": []})").ok());
  EXPECT_EQ(message_.id(), "ü😀\"/");
}

TEST_F(RestInferRequestTest, BytesBehindTheJsonAreTakenInOrder) {
  ASSERT_TRUE(Read(R"({"inputs": [
      {"name": "a", "shape": [2], "datatype": "FP16",
       "parameters": {"binary_data_size": 4}},
      {"name": "b", "shape": [1], "datatype": "FP32", "data": [7]},
      {"name": "c", "shape": [0], "datatype": "FP32",
       "parameters": {"binary_data_size": 0}},
      {"name": "d", "shape": [3], "datatype": "UINT8",
       "parameters": {"binary_data_size": 3}}]})",
                   "abcdxyz")
                  .ok());
  EXPECT_EQ(message_.raw_input_contents(0), "abcd");
  EXPECT_THAT(Floats(1), ElementsAre(7.0F));
  EXPECT_EQ(message_.raw_input_contents(2), "");
  EXPECT_EQ(message_.raw_input_contents(3), "xyz");
  EXPECT_TRUE(message_.inputs(0).parameters().empty());
}

TEST_F(RestInferRequestTest, SizesThatAreNotThoseOfTheBodyAreRefused) {
  const std::string json = R"({"inputs": [{"name": "a", "shape": [4],
      "datatype": "UINT8", "parameters": {"binary_data_size": 4}}]})";
  EXPECT_THAT(Error(json, "abc"),
              AllOf(HasSubstr("input 'a'"), HasSubstr("has 3 bytes left")));
  EXPECT_THAT(Error(json, "abcde"), HasSubstr("1 bytes follow"));
  EXPECT_THAT(Error(R"({"inputs": []})", "x"), HasSubstr("1 bytes follow"));
  EXPECT_THAT(Error(R"({"inputs": [{"name": "a",
      "parameters": {"binary_data_size": -1}}]})"),
              HasSubstr("'binary_data_size'"));
}

TEST_F(RestInferRequestTest, ValuesAreWantedOnce) {
  EXPECT_THAT(Error(R"({"inputs": [{"name": "a", "shape": [1],
      "datatype": "FP32"}]})"),
              AllOf(HasSubstr("input 'a'"), HasSubstr("no values")));
  EXPECT_THAT(Error(R"({"inputs": [{"name": "a", "shape": [1],
      "datatype": "UINT8", "data": [1],
      "parameters": {"binary_data_size": 1}}]})",
                    "x"),
              HasSubstr("expected one"));
}

TEST_F(RestInferRequestTest, InputsInSharedMemoryHaveNoValues) {
  ASSERT_TRUE(Read(R"({"inputs": [
      {"name": "a", "shape": [1], "datatype": "FP32",
       "parameters": {"shared_memory_region": "r",
                      "shared_memory_byte_size": 4}},
      {"name": "b", "shape": [1], "datatype": "FP32", "data": [1]}]})")
                  .ok());
  EXPECT_EQ(message_.inputs_size(), 2);
  EXPECT_EQ(message_.raw_input_contents_size(), 1);
}

TEST_F(RestInferRequestTest, ValuesOfInputsInSharedMemoryAreRefused) {
  const auto error = [this](const std::string& values,
                            const std::string& binary) {
    return Error(R"({"inputs": [{"name": "a", "shape": [1],
        "datatype": "FP32", )" +
                     values +
                     R"("shared_memory_region": "r",
        "shared_memory_byte_size": 4}}]})",
                 binary);
  };
  const auto names_both =
      AllOf(HasSubstr("input 'a'"), HasSubstr("shared_memory_region"));
  EXPECT_THAT(error(R"("data": [1], "parameters": {)", ""), names_both);
  EXPECT_THAT(error(R"("parameters": {"binary_data_size": 4, )", "1234"),
              names_both);
}

TEST_F(RestInferRequestTest, FormsOfOutputsAreTheClientsChoice) {
  constexpr OutputForm kJson = OutputForm::kJson;
  constexpr OutputForm kBytes = OutputForm::kBytes;
  ASSERT_TRUE(Read(R"({"inputs": []})").ok());
  EXPECT_EQ(forms_.usual, kJson);
  EXPECT_TRUE(forms_.outputs.empty());
  ASSERT_TRUE(Read(R"({"outputs": [
      {"name": "a"}, {"name": "b", "parameters": {"binary_data": false}}],
      "parameters": {"binary_data_output": true}})")
                  .ok());
  EXPECT_EQ(forms_.usual, kBytes);
  EXPECT_THAT(forms_.outputs, ElementsAre(kBytes, kJson));
  EXPECT_TRUE(message_.parameters().empty());
  ASSERT_TRUE(Read(R"({"outputs": [
      {"name": "a", "parameters": {"binary_data": true}}, {"name": "b"}]})")
                  .ok());
  EXPECT_EQ(forms_.usual, kJson);
  EXPECT_THAT(forms_.outputs, ElementsAre(kBytes, kJson));
  EXPECT_TRUE(message_.outputs(0).parameters().empty());
}

TEST_F(RestInferRequestTest, OutputsInSharedMemoryAreNotInTheAnswer) {
  ASSERT_TRUE(Read(R"({"outputs": [{"name": "a"},
      {"name": "b", "parameters": {"binary_data": true,
                                   "shared_memory_region": "r",
                                   "shared_memory_byte_size": 4}}]})")
                  .ok());
  EXPECT_THAT(forms_.outputs,
              ElementsAre(OutputForm::kJson, OutputForm::kSharedMemory));
  EXPECT_EQ(message_.outputs(1)
                .parameters()
                .at("shared_memory_byte_size")
                .int64_param(),
            4);
}

TEST_F(RestInferRequestTest, WrongTypesAreNamed) {
  for (const auto& [json, words] :
       {std::pair("[]", "the body: expected a JSON object"),
        std::pair("7", "the body: expected a JSON object"),
        std::pair(R"({"id": 1})", "'id': expected a string"),
        std::pair(R"({"inputs": {}})", "'inputs': expected a list"),
        std::pair(R"({"inputs": [1]})", "'inputs': expected a list of objects"),
        std::pair(R"({"inputs": [{"name": []}]})", "'name'"),
        std::pair(R"({"inputs": [{"shape": 1}]})", "'shape'"),
        std::pair(R"({"inputs": [{"shape": [1.5]}]})", "'shape'"),
        std::pair(R"({"inputs": [{"shape": ["1"]}]})", "'shape'"),
        std::pair(R"({"inputs": [{"datatype": null}]})", "'datatype'"),
        std::pair(R"({"inputs": [{"parameters": []}]})", "'parameters'"),
        std::pair(R"({"parameters": {"p": [1]}})", "'p'"),
        std::pair(R"({"parameters": {"p": null}})", "'p'"),
        std::pair(R"({"parameters": {"binary_data_output": 1}})",
                  "'binary_data_output': expected true or false"),
        std::pair(R"({"outputs": [1]})", "'outputs'"),
        std::pair(R"({"outputs": [{"parameters": {"binary_data": 1}}]})",
                  "'binary_data': expected true or false")}) {
    EXPECT_THAT(Error(json), HasSubstr(words)) << json;
  }
}

TEST_F(RestInferRequestTest, WhatIsNoJsonIsRefused) {
  for (const std::string json :
       {"", " ", "{", "{\"id\"", "{\"id\":", "{\"id\": \"x}", "{\"id\" \"x\"}",
        "{} {}", "{}]", "{\"inputs\": [}", "{\"inputs\": [{]}",
        "{\"id\": \"\xff\"}", "{\"id\": \"\\q\"}", "{\"id\": \"\\ud800\"}",
        "nonsense", "{\"id\": \"a\nb\"}"}) {
    EXPECT_EQ(Read(json).code(), absl::StatusCode::kInvalidArgument) << json;
  }
}

TEST_F(RestInferRequestTest, DeepNestingIsNoHarm) {
  EXPECT_FALSE(Read(R"({"x": )" + std::string(200'000, '[') + "}").ok());
  EXPECT_TRUE(
      Read(R"({"x": )" + std::string(500, '[') + std::string(500, ']') + "}")
          .ok());
}

TEST_F(RestInferRequestTest, ItemsOfFewBytesAreLimited) {
  const auto repeat = [](const std::string& text, int count) {
    std::string all = text;
    for (int i = 1; i < count; ++i) {
      all += "," + text;
    }
    return all;
  };
  constexpr int kMost = 16384;
  EXPECT_TRUE(Read(R"({"outputs": [)" + repeat("{}", kMost) + "]}").ok());
  EXPECT_THAT(Error(R"({"outputs": [)" + repeat("{}", kMost + 1) + "]}"),
              HasSubstr("more inputs, outputs and parameters than 16384"));
  EXPECT_THAT(Error("{" + repeat(R"("outputs": [{}])", kMost + 1) + "}"),
              HasSubstr("more inputs, outputs and parameters than 16384"));
  EXPECT_THAT(
      Error(R"({"parameters": {)" + repeat(R"("a": 1)", kMost + 1) + "}}"),
      HasSubstr("more inputs, outputs and parameters than 16384"));
  EXPECT_THAT(Error(R"({"inputs": [{"shape": [)" + repeat("1", 33) + "]}]}"),
              HasSubstr("at most 32 dimensions"));
}

TEST_F(RestInferRequestTest, ValuesOfAllInputsKeepOneLimit) {
  const std::string json = R"({"inputs": [
      {"name": "a", "shape": [3], "datatype": "FP64", "data": [1, 2, 3]},
      {"name": "b", "shape": [3], "datatype": "FP64", "data": [1, 2, 3]}]})";
  EXPECT_TRUE(Read(json, "", 48).ok());
  const absl::Status status = Read(json, "", 47);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("input 'b'"));
}

TEST_F(RestInferRequestTest, AReaderIsUsedAgain) {
  std::string numbers = "1";
  for (int i = 1; i < 600'000; ++i) {
    numbers += ",1";
  }
  const auto request = [](const std::string& data, int count) {
    return R"({"inputs": [{"name": "a", "datatype": "INT8", "shape": [)" +
           std::to_string(count) + R"(], "data": [)" + data + "]}]}";
  };
  ASSERT_TRUE(Read(request(numbers, 600'000), "", 1 << 20).ok());
  EXPECT_EQ(message_.raw_input_contents(0), std::string(600'000, '\1'));
  ASSERT_FALSE(Read("{").ok());
  ASSERT_TRUE(Read(request("5", 1)).ok());
  EXPECT_EQ(message_.raw_input_contents(0), "\5");
}

}  // namespace
}  // namespace relu
