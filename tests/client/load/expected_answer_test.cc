#include "client/load/expected_answer.h"

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"

namespace relu::load {
namespace {

using testing::HasSubstr;

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()),
          values.size() * sizeof(T)};
}

std::string AnswerOf(const std::string& datatype, std::int64_t elements,
                     const std::string& bytes) {
  inference::ModelInferResponse response;
  auto& output = *response.add_outputs();
  output.set_name("y");
  output.set_datatype(datatype);
  output.add_shape(elements);
  response.add_raw_output_contents(bytes);
  return response.SerializeAsString();
}

// What differs when `got` comes and `want` is expected.
template <typename T>
std::string DifferenceOf(const std::string& datatype,
                         const std::vector<T>& want, const std::vector<T>& got,
                         double tolerance) {
  return ExpectedAnswer(
             {{.name = "y", .datatype = datatype, .bytes = BytesOf(want)}},
             tolerance)
      .Difference(AnswerOf(datatype, static_cast<std::int64_t>(got.size()),
                           BytesOf(got)));
}

TEST(ExpectedAnswerTest, EqualBitsAreNoDifference) {
  const std::vector<float> values = {1.0F, NAN, -0.0F};
  EXPECT_EQ(DifferenceOf<float>("FP32", values, values, 0), "");
  EXPECT_EQ(DifferenceOf<std::int32_t>("INT32", {1, 2}, {1, 2}, 0), "");
}

TEST(ExpectedAnswerTest, WithoutToleranceTheSmallestDifferenceCounts) {
  EXPECT_THAT(DifferenceOf<float>("FP32", {1.0F, 2.0F},
                                  {1.0F, std::nextafter(2.0F, 3.0F)}, 0),
              HasSubstr("element 1"));
  EXPECT_THAT(DifferenceOf<std::int32_t>("INT32", {1}, {2}, 0.5),
              HasSubstr("byte 0"));
}

TEST(ExpectedAnswerTest, ToleranceIsRelativeAndAbsoluteBelowOne) {
  EXPECT_EQ(DifferenceOf<double>("FP64", {1000.0}, {1000.9}, 1e-3), "");
  EXPECT_THAT(DifferenceOf<double>("FP64", {1000.0}, {1001.1}, 1e-3),
              HasSubstr("is 1001.1, expected 1000"));
  EXPECT_EQ(DifferenceOf<float>("FP32", {0.0F}, {0.0009F}, 1e-3), "");
  EXPECT_NE(DifferenceOf<float>("FP32", {0.0F}, {NAN}, 1e-3), "");
}

TEST(ExpectedAnswerTest, SizeTypeAndMissingOutputsDiffer) {
  const ExpectedAnswer expected(
      {{.name = "y", .datatype = "INT32", .bytes = BytesOf<int>({1})}}, 0);
  EXPECT_THAT(expected.Difference(AnswerOf("INT32", 2, BytesOf<int>({1, 2}))),
              HasSubstr("8 bytes of INT32, expected 4"));
  EXPECT_THAT(expected.Difference(AnswerOf("FP32", 1, BytesOf<float>({1}))),
              HasSubstr("FP32"));
  EXPECT_THAT(ExpectedAnswer({{.name = "z", .datatype = "", .bytes = ""}}, 0)
                  .Difference(AnswerOf("INT32", 1, BytesOf<int>({1}))),
              HasSubstr("\"z\""));
  EXPECT_THAT(expected.Difference("\xFF"), HasSubstr("ModelInferResponse"));
  EXPECT_THAT(expected.Difference(AnswerOf("INT32", 5, "")),
              HasSubstr("malformed"));
}

}  // namespace
}  // namespace relu::load
