#include "client/cli/calibrate_command.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "proto/relu.pb.h"
#include "tests/client/cli/cli_support.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using testing::HasSubstr;
using BaselineValue = nlohmann::json;

CalibrateOptions CreditOptions() {
  CalibrateOptions options;
  options.file = "deploy/models/credit_embed/1/model.onnx";
  options.rows = "deploy/models/credit_embed/rows.csv";
  options.label = "last";
  options.window_rows = 32;
  return options;
}

std::string ContentOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(CalibrateCommandTest, FileHoldsWhatTheRowsDo) {
  const TemporaryFolder folder;
  CalibrateOptions options = CreditOptions();
  options.baseline = folder.Write("out.json", "");
  const Outcome outcome = RunCalibrate(options);
  ASSERT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("on 200 rows; windows of 32 rows, false "
                                     "alarms in 1 % of them"));
  const auto json = BaselineValue::parse(ContentOf(options.baseline));
  EXPECT_EQ(json["sampled_rows"], 200);
  EXPECT_EQ(json["window_rows"], 32);
  EXPECT_EQ(json["false_alarm_rate"], 0.01);
  EXPECT_GT(json["input_threshold"], 0);
  ASSERT_EQ(json["inputs"].size(), 2U);
  EXPECT_EQ(json["inputs"][0]["features"][0], "Seniority");
  EXPECT_EQ(json["inputs"][1]["features"].size(), 4U);
  EXPECT_EQ(json["inputs"][0]["mean"].size(), 9U);
  ASSERT_GT(json["layers"].size(), 0U);
  EXPECT_GT(json["layers"][0]["firing_threshold"], 0);
  EXPECT_EQ(json["layers"][0]["firing_rate"].size(),
            json["layers"][0]["variance"].size());
}

// The server reads it so.
TEST(CalibrateCommandTest, FileIsTheJsonOfTheMessage) {
  const TemporaryFolder folder;
  CalibrateOptions options = CreditOptions();
  options.baseline = folder.Write("out.json", "");
  ASSERT_EQ(RunCalibrate(options).code, ExitCode::kOk);
  v1::GetActivityResponse message;
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      ContentOf(options.baseline), &message);
  EXPECT_TRUE(parsed.ok()) << parsed.ToString();
  EXPECT_EQ(message.sampled_rows(), 200);
  EXPECT_EQ(message.inputs(1).spread_limit_size(), 4);
}

TEST(CalibrateCommandTest, FileStandsBesideTheModelUnlessItIsNamed) {
  const TemporaryFolder folder;
  CalibrateOptions options = CreditOptions();
  options.file = folder.Write("model.onnx", ContentOf(options.file));
  ASSERT_EQ(RunCalibrate(options).code, ExitCode::kOk);
  const std::filesystem::path beside =
      std::filesystem::path(options.file).replace_extension(".activity.json");
  EXPECT_TRUE(std::filesystem::exists(beside));
}

void ExpectRefused(const CalibrateOptions& options, const std::string& reason) {
  const Outcome outcome = RunCalibrate(options);
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, HasSubstr(reason));
}

TEST(CalibrateCommandTest, WhatCannotBeIsRefused) {
  CalibrateOptions options = CreditOptions();
  options.window_rows = 128;
  ExpectRefused(options, "200 rows, wanted are two windows of 128 rows");
  options = CreditOptions();
  options.file = "none.onnx";
  ExpectRefused(options, "none.onnx");
  options = CreditOptions();
  options.rows = "none.csv";
  ExpectRefused(options, "none.csv");
  options = CreditOptions();
  options.baseline = "/no/such/folder/file.json";
  ExpectRefused(options, "/no/such/folder/file.json: cannot be written");
}

}  // namespace
}  // namespace relu
