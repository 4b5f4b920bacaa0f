#include "client/cli/network_report.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/plan_report.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

// x [1] -> relu(x, -x - 10) -> the sum.
NetworkReport SmallNetwork() {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId hidden = builder.Unary(
      Operator::kRelu,
      builder.Gemm(x, builder.Constant(FloatTensor({1, 2}, {1, -1})),
                   builder.Constant(FloatTensor({2}, {0, -10}))));
  builder.Output(
      builder.MatMul(hidden, builder.Constant(FloatTensor({2, 1}, {1, 1}))));
  auto report = NetworkReport::Of(builder.Build());
  CHECK(report.ok());
  return *std::move(report);
}

InputRows RowsOf(const NetworkReport& report, const std::vector<float>& x) {
  std::vector<Tensor> tensors;
  tensors.push_back(FloatTensor({static_cast<std::int64_t>(x.size()), 1}, x));
  return ReadInputRows(report.network(), tensors, "row").value();
}

TEST(NetworkReportTest, WeightsAreShownWithoutRows) {
  const std::string text = SmallNetwork().Text();
  EXPECT_THAT(text, HasSubstr("f(x) = J x + t up to \"v"));
  EXPECT_THAT(text, HasSubstr("1 -> 2"));
  EXPECT_THAT(text, HasSubstr("1.414"));  // The norm of both layers.
  EXPECT_THAT(text, Not(HasSubstr("dead")));
  EXPECT_THAT(text, Not(HasSubstr("Bounds")));
}

TEST(NetworkReportTest, RowsTellWhatFires) {
  NetworkReport report = SmallNetwork();
  ASSERT_TRUE(report.AddRows(RowsOf(report, {1, 2, 3, -1}), {}).ok());
  const Json json = Json::parse(report.Json());
  EXPECT_EQ(json["rows"], 4);
  EXPECT_EQ(json["layers"][0]["on"], Json::array({3, 0}));
  EXPECT_EQ(json["layers"][0]["dead"], 1);
  EXPECT_EQ(json["layers"][0]["largest_input"], 13);
  EXPECT_EQ(json["layers"][0]["always_on"], 0);
  EXPECT_EQ(json["layers"][0]["zeros"], 0.625);
  EXPECT_FALSE(json["layers"][1].contains("dead"));
  EXPECT_THAT(report.Text(), HasSubstr("62.5 %"));
  EXPECT_THAT(report.Text(), HasSubstr("Activity: on 4 rows"));
}

TEST(NetworkReportTest, RowsTellGradientsAndWhatSkippingSaves) {
  NetworkReport report = SmallNetwork();
  PlanReport plan;
  plan.steps.resize(2);
  plan.steps[1].nodes = {"node_2"};
  plan.steps[1].multiply_adds = 2;
  plan.steps[1].zero_skip_entries = 1;
  plan.steps[1].costs.dense[0] = 100;
  plan.steps[1].costs.sparse_alone = {20, 50, 80};
  ASSERT_TRUE(report.AddRows(RowsOf(report, {1, 2}), plan).ok());
  const Json json = Json::parse(report.Json());
  EXPECT_EQ(json["layers"][0]["node"], "node_0");
  EXPECT_EQ(json["layers"][0]["gradient"], 1);
  EXPECT_GT(json["layers"][0]["tanh_gradient"], 0.1);
  EXPECT_LT(json["layers"][0]["sigmoid_gradient"], 0.25);
  EXPECT_EQ(json["layers"][0]["input_zeros"], 0);
  EXPECT_FALSE(json["layers"][0].contains("break_even_zeros"));
  EXPECT_EQ(json["layers"][1]["input_zeros"], 0.5);
  EXPECT_EQ(json["layers"][1]["break_even_zeros"], 0.5);
  EXPECT_EQ(json["layers"][1]["skipping_rows"], 1);
  EXPECT_EQ(json["layers"][1]["expected_ns"], 50);
  EXPECT_THAT(report.Text(), HasSubstr("times as fast"));
  EXPECT_THAT(report.Text(), HasSubstr("2.00"));
  EXPECT_THAT(report.Text(), HasSubstr("never"));
}

TEST(NetworkReportTest, BoxesTellWhatIsProven) {
  NetworkReport report = SmallNetwork();
  EXPECT_FALSE(report.bounds().has_value());
  ASSERT_TRUE(report.AddBox({.low = {1}, .high = {3}}, "of the test").ok());
  EXPECT_TRUE(report.bounds().has_value());
  const Json json = Json::parse(report.Json());
  EXPECT_EQ(json["box"], "of the test");
  EXPECT_EQ(json["layers"][0]["proven_on"], 1);
  EXPECT_EQ(json["layers"][0]["proven_off"], 1);
  EXPECT_NEAR(json["layers"][0]["linear_bound"], 13, 1e-4);
  EXPECT_NEAR(json["low"][0], 1, 1e-4);
  EXPECT_NEAR(json["high"][0], 3, 1e-4);
  EXPECT_EQ(json["fits_float32"], true);
  EXPECT_EQ(json["fits_float16"], true);
  EXPECT_THAT(report.Text(), HasSubstr("for every input of the test, \"v"));
  EXPECT_THAT(report.Text(), HasSubstr("certified: no infinity or NaN"));
}

TEST(NetworkReportTest, OverflowIsNotCertified) {
  NetworkReport report = SmallNetwork();
  ASSERT_TRUE(report.AddBox({.low = {-1e6}, .high = {1e6}}, "").ok());
  EXPECT_THAT(report.Text(),
              HasSubstr("values may overflow if they are stored as float16: "
                        "output \"v6\": a value may reach"));
  ASSERT_TRUE(report.AddBox({.low = {-3e38}, .high = {3e38}}, "").ok());
  EXPECT_THAT(report.Text(), HasSubstr("not certified"));
}

// y = x as FP32, then 65530 x as `type`.
NetworkReport TwoOutputs(DataType type) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  builder.Output(builder.MatMul(x, builder.Constant(FloatTensor({1, 1}, {1}))));
  const ValueId large =
      builder.MatMul(x, builder.Constant(FloatTensor({1, 1}, {65530})));
  builder.Output(builder.Node(Operator::kCast, {large},
                              {.row_shape = {1}, .type = type},
                              {{"to", static_cast<std::int64_t>(type)}}));
  auto report = NetworkReport::Of(builder.Build());
  CHECK(report.ok());
  return *std::move(report);
}

TEST(NetworkReportTest, VerdictIsOverAllOutputs) {
  NetworkReport report = TwoOutputs(DataType::kFp32);
  ASSERT_TRUE(report.AddBox({.low = {0}, .high = {1}}, "").ok());
  EXPECT_THAT(report.Text(), HasSubstr("\ncertified: "));
  ASSERT_TRUE(report.AddBox({.low = {0}, .high = {1e34}}, "").ok());
  EXPECT_EQ(Json::parse(report.Json())["fits_float32"], false);
  EXPECT_THAT(report.Text(),
              HasSubstr("not certified: output \"v5\": a value or sum may"));
}

TEST(NetworkReportTest, VerdictIsByTheTypeOfEachOutput) {
  NetworkReport report = TwoOutputs(DataType::kFp16);
  ASSERT_TRUE(report.AddBox({.low = {0}, .high = {1}}, "").ok());
  EXPECT_EQ(Json::parse(report.Json())["fits_float32"], false);
  EXPECT_THAT(report.Text(),
              HasSubstr("not certified: output \"v5\": it may reach 6.55e+04, "
                        "FP16 ends at"));
}

TEST(NetworkReportTest, WhatIsNoBoxIsRefused) {
  NetworkReport report = SmallNetwork();
  EXPECT_EQ(report.AddBox({.low = {1}, .high = {0}}, "").code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(NetworkReportTest, OtherNetworksHaveNone) {
  const auto graph =
      ImportOnnx("tests/testdata/models/digits_leaky_prelu_elu/model.onnx");
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(NetworkReport::Of(*graph).status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
