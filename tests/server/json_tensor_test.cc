#include "server/json_tensor.h"

#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<std::string> ToBytes(const std::string& json,
                                    std::string_view datatype,
                                    const std::vector<std::int64_t>& shape,
                                    std::size_t max_bytes = 1000) {
  simdjson::ondemand::parser parser;
  const simdjson::padded_string text(R"({"data":)" + json + "}");
  simdjson::ondemand::document document;
  simdjson::ondemand::value value;
  if (parser.iterate(text).get(document) != simdjson::SUCCESS ||
      document["data"].get(value) != simdjson::SUCCESS) {
    return absl::InternalError("the test's JSON is none");
  }
  std::string values;
  const absl::Status status =
      JsonToTensor(value, datatype, shape, max_bytes, values);
  return status.ok() ? absl::StatusOr<std::string>(values) : status;
}

template <typename T>
std::vector<T> ElementsOf(const absl::StatusOr<std::string>& bytes) {
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  std::vector<T> elements(bytes.ok() ? bytes->size() / sizeof(T) : 0);
  if (!elements.empty()) {
    std::memcpy(elements.data(), bytes->data(), bytes->size());
  }
  return elements;
}

std::string MessageOf(const absl::StatusOr<std::string>& bytes) {
  return std::string(bytes.status().message());
}

template <typename T>
std::string TensorJson(const std::vector<T>& elements,
                       std::string_view datatype) {
  std::string json;
  const std::string_view values(reinterpret_cast<const char*>(elements.data()),
                                elements.size() * sizeof(T));
  const absl::Status status = TensorToJson(values, datatype, 10'000, json);
  return status.ok() ? json : std::string(status.message());
}

TEST(JsonTensorTest, FlatAndNestedListsAreTheSame) {
  EXPECT_THAT(ElementsOf<float>(ToBytes("[1,2.5,-3e2,0]", "FP32", {2, 2})),
              ElementsAre(1.0F, 2.5F, -300.0F, 0.0F));
  EXPECT_THAT(ElementsOf<float>(ToBytes("[[1,2.5],[-3e2,0]]", "FP32", {2, 2})),
              ElementsAre(1.0F, 2.5F, -300.0F, 0.0F));
  EXPECT_THAT(ElementsOf<std::int8_t>(
                  ToBytes("[[[1],[2]],[[3],[4]]]", "INT8", {2, 2, 1})),
              ElementsAre(1, 2, 3, 4));
}

TEST(JsonTensorTest, IntegersAreExactToTheEndsOfTheirRange) {
  EXPECT_THAT(ElementsOf<std::int64_t>(ToBytes(
                  "[-9223372036854775808,9223372036854775807,9007199254740993]",
                  "INT64", {3})),
              ElementsAre(INT64_MIN, INT64_MAX, 9007199254740993));
  EXPECT_THAT(ElementsOf<std::uint64_t>(
                  ToBytes("[18446744073709551615,0]", "UINT64", {2})),
              ElementsAre(UINT64_MAX, 0U));
  EXPECT_THAT(ElementsOf<std::int32_t>(
                  ToBytes("[-2147483648,2147483647]", "INT32", {2})),
              ElementsAre(INT32_MIN, INT32_MAX));
  EXPECT_THAT(ElementsOf<std::int16_t>(ToBytes("[-32768,32767]", "INT16", {2})),
              ElementsAre(INT16_MIN, INT16_MAX));
  EXPECT_THAT(ElementsOf<std::uint32_t>(ToBytes("[4294967295]", "UINT32", {1})),
              ElementsAre(UINT32_MAX));
  EXPECT_THAT(ElementsOf<std::uint16_t>(ToBytes("[65535]", "UINT16", {1})),
              ElementsAre(UINT16_MAX));
  EXPECT_THAT(ElementsOf<std::uint8_t>(ToBytes("[255,0]", "UINT8", {2})),
              ElementsAre(255, 0));
}

TEST(JsonTensorTest, NumbersOutOfRangeAreRefusedAndNamed) {
  for (const auto& [json, datatype] :
       {std::pair("[1,128]", "INT8"), std::pair("[1,-129]", "INT8"),
        std::pair("[1,256]", "UINT8"), std::pair("[1,-1]", "UINT8"),
        std::pair("[1,2147483648]", "INT32"), std::pair("[1,-1]", "UINT64"),
        std::pair("[1,9223372036854775808]", "INT64"),
        std::pair("[1,1e39]", "FP32"), std::pair("[1,-3.5e38]", "FP32"),
        std::pair("[1,1.5]", "INT32"), std::pair("[1,1e2]", "INT32"),
        std::pair("[1,\"2\"]", "FP32"), std::pair("[1,null]", "FP32"),
        std::pair("[1,true]", "FP32"), std::pair("[1,[2]]", "FP32"),
        std::pair("[1,{}]", "FP32"), std::pair("[true,1]", "BOOL"),
        std::pair("[\"a\",1]", "BYTES")}) {
    const auto bytes = ToBytes(json, datatype, {2});
    EXPECT_EQ(bytes.status().code(), absl::StatusCode::kInvalidArgument)
        << json;
    EXPECT_THAT(MessageOf(bytes), HasSubstr("element 1 of \"data\"")) << json;
  }
}

TEST(JsonTensorTest, WhatJsonHasNoNumberForIsRefused) {
  for (const char* json :
       {"[NaN]", "[Infinity]", "[-Infinity]", "[nan]", "[01]", "[.5]", "[1.]",
        "[+1]", "[0x10]", "[1e400]", "[1,]", "[,1]", "[1 2]"}) {
    EXPECT_EQ(ToBytes(json, "FP64", {1}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << json;
  }
}

TEST(JsonTensorTest, FloatsAreRoundedToTheNearest) {
  EXPECT_THAT(ElementsOf<float>(
                  ToBytes("[0.1,16777217,1e-46,3.4028235e38]", "FP32", {4})),
              ElementsAre(0.1F, 16777216.0F, 0.0F, 3.4028235e38F));
  EXPECT_THAT(ElementsOf<double>(ToBytes("[0.1,5e-324,1e-400]", "FP64", {3})),
              ElementsAre(0.1, 5e-324, 0.0));
  EXPECT_TRUE(
      std::signbit(ElementsOf<float>(ToBytes("[-0.0]", "FP32", {1}))[0]));
}

TEST(JsonTensorTest, BoolsAndBytesAreTaken) {
  EXPECT_EQ(*ToBytes("[true,false]", "BOOL", {2}), std::string("\1\0", 2));
  EXPECT_EQ(*ToBytes(R"(["ab","","\u00fc"])", "BYTES", {3}),
            std::string("\2\0\0\0ab\0\0\0\0\2\0\0\0ü", 16));
}

TEST(JsonTensorTest, CountsThatAreNotTheShapesAreRefused) {
  for (const auto& [json, words] :
       {std::pair("[1,2,3]", "3 elements, the shape [2,2] has 4"),
        std::pair("[]", "0 elements"),
        std::pair("[[1,2],[3]]", "a list of 1 in \"data\", dimension 1"),
        std::pair("[[1,2]]", "a list of 1 in \"data\", dimension 0"),
        std::pair("[[1,2],[3,4],[5,6]]", "a list of 3"),
        std::pair("[[[1],[2]],[[3],[4]]]", "element 0"),
        std::pair("[[1,2],3,4]", "expected a list"),
        std::pair("7", "expected a list")}) {
    const auto bytes = ToBytes(json, "FP32", {2, 2});
    EXPECT_EQ(bytes.status().code(), absl::StatusCode::kInvalidArgument)
        << json;
    EXPECT_THAT(MessageOf(bytes), HasSubstr(words)) << json;
  }
}

TEST(JsonTensorTest, ShapesThatAreNoneAreLeftToTheModel) {
  EXPECT_TRUE(ToBytes("[1]", "FP32", {-1}).ok());
  EXPECT_TRUE(ToBytes("[1]", "FP32", {INT64_MAX, INT64_MAX}).ok());
  EXPECT_EQ(
      ToBytes("[1]", "FP32", std::vector<std::int64_t>(33, 1)).status().code(),
      absl::StatusCode::kInvalidArgument);
}

TEST(JsonTensorTest, DeepNestingIsRefused) {
  EXPECT_EQ(ToBytes(std::string(100'000, '['), "FP32", {1, 1}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(JsonTensorTest, HalfPrecisionIsRefusedWithAdvice) {
  for (const char* datatype : {"FP16", "BF16"}) {
    EXPECT_THAT(MessageOf(ToBytes("[1]", datatype, {1})),
                HasSubstr("binary tensor extension"));
    EXPECT_THAT(TensorJson<std::uint16_t>({1}, datatype),
                HasSubstr("binary tensor extension"));
  }
}

TEST(JsonTensorTest, UnknownDatatypesAreRefused) {
  EXPECT_THAT(MessageOf(ToBytes("[1]", "FLOAT", {1})), HasSubstr("'FLOAT'"));
}

TEST(JsonTensorTest, TooManyBytesAreRefused) {
  EXPECT_EQ(ToBytes("[1,2,3]", "FP64", {3}, 23).status().code(),
            absl::StatusCode::kResourceExhausted);
  std::string json;
  EXPECT_EQ(TensorToJson(std::string(1000, '\1'), "BOOL", 100, json).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_LT(json.size(), 110U);
}

TEST(JsonTensorTest, NumbersAreWrittenAsTheShortestOfTheirValue) {
  EXPECT_EQ(
      TensorJson<float>({0.1F, -0.0F, 16777216.0F, 1e-45F, 1e30F}, "FP32"),
      "[0.1,-0,16777216,1e-45,1e+30]");
  EXPECT_EQ(TensorJson<double>({0.1, 1.0 / 3.0}, "FP64"),
            "[0.1,0.3333333333333333]");
  EXPECT_EQ(TensorJson<std::int64_t>({INT64_MIN, 5}, "INT64"),
            "[-9223372036854775808,5]");
  EXPECT_EQ(TensorJson<std::uint64_t>({UINT64_MAX}, "UINT64"),
            "[18446744073709551615]");
  EXPECT_EQ(TensorJson<std::int8_t>({-128, 65}, "INT8"), "[-128,65]");
  EXPECT_EQ(TensorJson<std::uint8_t>({255, 65}, "UINT8"), "[255,65]");
  EXPECT_EQ(TensorJson<std::uint8_t>({1, 0}, "BOOL"), "[true,false]");
  EXPECT_EQ(TensorJson<float>({}, "FP32"), "[]");
}

TEST(JsonTensorTest, WhatIsWrittenIsReadWithTheSameBits) {
  std::vector<float> values;
  for (std::uint32_t bits = 1; bits < 0xff000000U; bits += 0x00fedcbbU) {
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    if (std::isfinite(value)) {
      values.push_back(value);
    }
  }
  ASSERT_GT(values.size(), 200U);
  const auto bytes = ToBytes(TensorJson(values, "FP32"), "FP32",
                             {static_cast<std::int64_t>(values.size())}, 10000);
  EXPECT_EQ(ElementsOf<float>(bytes), values);
}

TEST(JsonTensorTest, ValuesThatAreNotFiniteAreRefusedWithAdvice) {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(TensorJson<float>({1, value}, "FP32"),
                AllOf(HasSubstr("element 1"), HasSubstr("binary_data")));
  }
}

TEST(JsonTensorTest, BytesAreWrittenAsStrings) {
  std::string json;
  ASSERT_TRUE(
      TensorToJson(std::string("\2\0\0\0ab\0\0\0\0", 10), "BYTES", 100, json)
          .ok());
  EXPECT_EQ(json, "[\"ab\",\"\"]");
  for (const std::string& bad :
       {std::string("\2\0\0\0a", 5), std::string("\2", 1)}) {
    EXPECT_EQ(TensorToJson(bad, "BYTES", 100, json).code(),
              absl::StatusCode::kInternal);
  }
}

}  // namespace
}  // namespace relu
