#include "core/repository/activity_file.h"

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "tests/core/repository/offset_model.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// "x" of two elements, and no activation.
constexpr char kOffsetBaseline[] = R"({
  "sampled_rows": 1000, "window_rows": 64, "false_alarm_rate": 0.02,
  "input_threshold": 1.5, "layers": [],
  "inputs": [{"name": "x", "features": ["age", "income"],
              "mean": [1, -2.5], "variance": [1, 2],
              "spread_variance": [3, 4], "mean_limit": [5, 6],
              "spread_limit": [7, 8]}]})";

class ActivityFileTest : public testing::Test {
 protected:
  ActivityFileTest()
      : file_(WriteOffsetModel(repository_.folder() / "m/1/model.onnx", 1)),
        model_(Compile(file_)) {}

  static CompiledModel Compile(const std::filesystem::path& file) {
    const absl::StatusOr<Graph> graph = ImportOnnx(file);
    CHECK(graph.ok());
    absl::StatusOr<CompiledModel> model = CompiledModel::Compile(*graph);
    CHECK(model.ok());
    return *std::move(model);
  }

  void ExpectRefused(const std::string& json, const std::string& reason) {
    repository_.Write("m/1/model.activity.json", json);
    const absl::Status status = ReadActivityFile(file_, model_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(
        std::string(status.message()),
        AllOf(HasSubstr("m/1/model.activity.json: "), HasSubstr(reason)));
  }

  TempRepository repository_;
  std::filesystem::path file_;
  CompiledModel model_;
};

TEST_F(ActivityFileTest, StandsBesideTheModel) {
  EXPECT_EQ(ActivityFileOf("r/m/2/model.onnx"), "r/m/2/model.activity.json");
  EXPECT_EQ(ActivityFileOf("r/m.onnx"), "r/m.activity.json");
}

TEST_F(ActivityFileTest, NoFileIsNoBaseline) {
  const auto baseline = ReadActivityFile(file_, model_);
  ASSERT_TRUE(baseline.ok()) << baseline.status();
  EXPECT_FALSE(baseline->has_value());
}

TEST_F(ActivityFileTest, EveryFieldIsRead) {
  repository_.Write("m/1/model.activity.json", kOffsetBaseline);
  const auto read = ReadActivityFile(file_, model_);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_TRUE(read->has_value());
  const ActivityBaseline& baseline = **read;
  EXPECT_EQ(baseline.rows, 1000);
  EXPECT_EQ(baseline.window_rows, 64);
  EXPECT_EQ(baseline.false_alarm_rate, 0.02);
  EXPECT_EQ(baseline.input_threshold, 1.5);
  ASSERT_EQ(baseline.inputs.size(), 1U);
  EXPECT_EQ(baseline.inputs[0].name, "x");
  EXPECT_THAT(baseline.inputs[0].features, ElementsAre("age", "income"));
  EXPECT_THAT(baseline.inputs[0].mean, ElementsAre(1, -2.5));
  EXPECT_THAT(baseline.inputs[0].variance, ElementsAre(1, 2));
  EXPECT_THAT(baseline.inputs[0].spread_variance, ElementsAre(3, 4));
  EXPECT_THAT(baseline.inputs[0].mean_limit, ElementsAre(5, 6));
  EXPECT_THAT(baseline.inputs[0].spread_limit, ElementsAre(7, 8));
}

TEST_F(ActivityFileTest, WhatIsNoBaselineIsRefused) {
  ExpectRefused("{", "no baseline of this model (reluctl calibrate makes one)");
  ExpectRefused(R"({"windowrows": 3})", "windowrows");
}

TEST_F(ActivityFileTest, BaselineOfAnotherModelIsRefused) {
  std::string json = kOffsetBaseline;
  json.replace(json.find("\"x\""), 3, "\"z\"");
  ExpectRefused(json, "input \"z\" stands where the model has \"x\"");
}

}  // namespace
}  // namespace relu
