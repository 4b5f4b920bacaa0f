#include "client/cli/activity_options.h"

#include <string>

#include "gtest/gtest.h"

#include "client/cli/activity_command.h"
#include "client/cli/calibrate_command.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

ActivityCommandOptions ParsedActivity(const std::string& line) {
  CLI::App app;
  ActivityCommandOptions options;
  AddActivity(app, options);
  app.parse(line);
  return options;
}

CalibrateOptions ParsedCalibrate(const std::string& line) {
  CLI::App app;
  CalibrateOptions options;
  AddCalibrate(app, options);
  app.parse(line);
  return options;
}

TEST(ActivityOptionsTest, DefaultsHoldForWhatIsNotGiven) {
  const ActivityCommandOptions activity = ParsedActivity("activity m");
  EXPECT_EQ(activity.model, "m");
  EXPECT_EQ(activity.version, "");
  EXPECT_EQ(activity.layer, "");
  EXPECT_EQ(activity.picture, "");
  EXPECT_EQ(activity.top_k, 5U);
  const CalibrateOptions calibrate =
      ParsedCalibrate("calibrate model.onnx rows.csv");
  EXPECT_EQ(calibrate.file, "model.onnx");
  EXPECT_EQ(calibrate.rows, "rows.csv");
  EXPECT_EQ(calibrate.baseline, "");
  EXPECT_EQ(calibrate.window_rows, 256);
  EXPECT_EQ(calibrate.false_alarm_rate, 0.01);
}

TEST(ActivityOptionsTest, EveryOptionIsTaken) {
  const ActivityCommandOptions activity = ParsedActivity(
      "activity m --version 2 --layer relu1 --picture a.svg -k 9");
  EXPECT_EQ(activity.version, "2");
  EXPECT_EQ(activity.layer, "relu1");
  EXPECT_EQ(activity.picture, "a.svg");
  EXPECT_EQ(activity.top_k, 9U);
  const CalibrateOptions calibrate = ParsedCalibrate(
      "calibrate m.onnx r.csv --label y --baseline b.json --window 64 "
      "--false-alarm-rate 0.05");
  EXPECT_EQ(calibrate.label, "y");
  EXPECT_EQ(calibrate.baseline, "b.json");
  EXPECT_EQ(calibrate.window_rows, 64);
  EXPECT_EQ(calibrate.false_alarm_rate, 0.05);
}

TEST(ActivityOptionsTest, WrongValuesAreRefused) {
  EXPECT_THROW(ParsedActivity("activity"), CLI::ParseError);
  EXPECT_THROW(ParsedActivity("activity m -k 0"), CLI::ParseError);
  EXPECT_THROW(ParsedCalibrate("calibrate m.onnx"), CLI::ParseError);
  EXPECT_THROW(ParsedCalibrate("calibrate m.onnx r.csv --window 1"),
               CLI::ParseError);
  EXPECT_THROW(ParsedCalibrate("calibrate m.onnx r.csv --false-alarm-rate 1"),
               CLI::ParseError);
}

}  // namespace
}  // namespace relu
