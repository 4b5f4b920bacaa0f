#include "client/row_batches.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/infer_message.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using SizeList = std::vector<std::int64_t>;

// Five rows: "x" FP32 of two columns, "n" INT32 of one.
InferRequest FiveRows() {
  InferRequest request("m", "2");
  request.AddInput<float>("x", SizeList{5, 2},
                          {0, 1, 10, 11, 20, 21, 30, 31, 40, 41});
  request.AddInput<std::int32_t>("n", SizeList{5}, {0, 1, 2, 3, 4});
  request.AddOutput("y").SetId("id").SetParameter("priority", std::int64_t{1});
  return request;
}

TEST(SplitRowsTest, PartsHaveTheRowsInTheirOrder) {
  const InferRequest request = FiveRows();
  const auto parts = SplitRows(request, 2);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ASSERT_EQ(parts->size(), 3U);
  const InferRequest& last = (*parts)[2];
  EXPECT_EQ(last.model(), "m");
  EXPECT_EQ(last.version(), "2");
  EXPECT_EQ(last.id(), "id");
  EXPECT_EQ(last.outputs()[0], "y");
  EXPECT_EQ(last.parameters().size(), 1U);
  EXPECT_THAT(last.inputs()[0].shape, ElementsAre(1, 2));
  const auto* const floats =
      reinterpret_cast<const float*>(last.inputs()[0].bytes.data());
  EXPECT_EQ(floats[0], 40);
  EXPECT_EQ(floats[1], 41);
  EXPECT_THAT((*parts)[1].inputs()[1].shape, ElementsAre(2));
  EXPECT_EQ(SplitRows(request, 5)->size(), 1U);
  EXPECT_EQ(SplitRows(request, 100)->size(), 1U);
}

std::string SplitError(const InferRequest& request, std::int64_t rows = 2) {
  const auto parts = SplitRows(request, rows);
  EXPECT_EQ(parts.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(parts.status().message());
}

TEST(SplitRowsTest, RequestsWithoutRowsAreRefused) {
  EXPECT_THAT(SplitError(FiveRows(), 0), HasSubstr("at least 1"));
  InferRequest other = FiveRows();
  other.AddInput<float>("z", SizeList{4}, {1, 2, 3, 4});
  EXPECT_THAT(SplitError(other), HasSubstr("\"z\""));
  EXPECT_THAT(
      SplitError(InferRequest("m").AddInput<float>("s", SizeList{}, {1})),
      HasSubstr("no rows"));
  EXPECT_THAT(
      SplitError(InferRequest("m").AddInput<float>("s", SizeList{3}, {1})),
      HasSubstr("4 bytes"));
  const std::vector<std::string> texts = {"a", "b"};
  EXPECT_THAT(
      SplitError(InferRequest("m").AddTextInput("t", SizeList{2}, texts)),
      HasSubstr("BYTES"));
}

// An answer with output `name` of INT32 and these values in rows of `columns`.
InferResult ResultWith(const std::string& name, std::int64_t columns,
                       const std::vector<std::int32_t>& values) {
  auto message = std::make_unique<inference::ModelInferResponse>();
  message->set_model_name("m");
  auto& output = *message->add_outputs();
  output.set_name(name);
  output.set_datatype("INT32");
  output.add_shape(static_cast<std::int64_t>(values.size()) / columns);
  output.add_shape(columns);
  message->add_raw_output_contents(values.data(),
                                   values.size() * sizeof(std::int32_t));
  return FromMessage(std::move(message)).value();
}

std::vector<InferResult> Results(InferResult first, InferResult second) {
  std::vector<InferResult> results;
  results.push_back(std::move(first));
  results.push_back(std::move(second));
  return results;
}

TEST(JoinRowsTest, RowsFollowEachOther) {
  const auto joined = JoinRows(
      Results(ResultWith("y", 2, {1, 2, 3, 4}), ResultWith("y", 2, {5, 6})),
      {2, 1});
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_EQ(joined->model(), "m");
  EXPECT_THAT(joined->outputs()[0].shape, ElementsAre(3, 2));
  EXPECT_THAT(joined->Values<std::int32_t>("y").value(),
              ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(JoinRowsTest, WhatTheServerSaysOfRowsIsAddedUp) {
  const auto answer = [](std::int64_t outside, bool clamped) {
    auto message = std::make_unique<inference::ModelInferResponse>();
    auto& parameters = *message->mutable_parameters();
    parameters["relu_out_of_domain_rows"].set_int64_param(outside);
    parameters["relu_out_of_domain_first"].set_string_param("row 0");
    if (clamped) {
      parameters["relu_clamped"].set_bool_param(true);
    }
    return FromMessage(std::move(message)).value();
  };
  const auto joined =
      JoinRows(Results(answer(2, true), answer(3, false)), {2, 3});
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_EQ(joined->Parameter("relu_out_of_domain_rows"),
            InferParameter(std::int64_t{5}));
  EXPECT_EQ(joined->Parameter("relu_clamped"), InferParameter(true));
  EXPECT_EQ(joined->Parameter("relu_nonfinite_input_rows"), std::nullopt);
  EXPECT_EQ(joined->Parameter("relu_out_of_domain_first"), std::nullopt);
}

TEST(JoinRowsTest, AnswersThatDoNotFitAreRefused) {
  const auto error = [](InferResult first, InferResult second) {
    const auto joined =
        JoinRows(Results(std::move(first), std::move(second)), {2, 1});
    EXPECT_EQ(joined.status().code(), absl::StatusCode::kInternal);
    return std::string(joined.status().message());
  };
  EXPECT_THAT(error(ResultWith("y", 1, {1, 2}), ResultWith("z", 1, {3})),
              HasSubstr("\"z\""));
  EXPECT_THAT(error(ResultWith("y", 1, {1, 2}), ResultWith("y", 1, {3, 4})),
              HasSubstr("1 rows"));
  EXPECT_THAT(error(ResultWith("y", 2, {1, 2, 3, 4}), ResultWith("y", 1, {3})),
              HasSubstr("[1,1]"));
}

}  // namespace
}  // namespace relu
