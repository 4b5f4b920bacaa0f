#include "core/relu/activity_baseline.h"

#include <limits>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/plan/compiled_model.h"
#include "tests/core/relu/activity_testing.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

class ActivityBaselineTest : public testing::Test {
 protected:
  void ExpectRefused(const ActivityBaseline& baseline,
                     const std::string& reason) {
    const absl::Status status = CheckBaseline(baseline, model_);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << reason;
    EXPECT_THAT(std::string(status.message()), HasSubstr(reason));
  }

  CompiledModel model_ = TwoLayers();
  ActivityBaseline good_ = TwoLayerBaseline(model_, 256);
};

TEST_F(ActivityBaselineTest, CalibrationOfTheModelFits) {
  EXPECT_TRUE(CheckBaseline(good_, model_).ok());
}

TEST_F(ActivityBaselineTest, WhatAnotherModelHasIsRefusedByName) {
  ActivityBaseline baseline = good_;
  baseline.layers[1].name = "other";
  ExpectRefused(baseline, "layer \"other\" stands where the model has \"");
  baseline = good_;
  baseline.layers.pop_back();
  ExpectRefused(baseline, "1 layers, the model has 2");
  baseline = good_;
  baseline.inputs[0].name = "z";
  ExpectRefused(baseline, "input \"z\" stands where the model has \"x\"");
  baseline = good_;
  baseline.inputs.clear();
  ExpectRefused(baseline, "0 inputs, the model has 1");
  baseline = good_;
  baseline.layers[0].mean.push_back(1);
  ExpectRefused(baseline, "mean has 25 numbers, the model has 24");
  baseline = good_;
  baseline.inputs[0].features = {"a"};
  ExpectRefused(baseline, "features has 1 names, the model has 6 elements");
}

TEST_F(ActivityBaselineTest, NumbersWithoutSenseAreRefused) {
  ActivityBaseline baseline = good_;
  baseline.window_rows = 0;
  ExpectRefused(baseline, "windows of 0 rows");
  baseline = good_;
  baseline.false_alarm_rate = 1;
  ExpectRefused(baseline, "false_alarm_rate is 1");
  baseline = good_;
  baseline.input_threshold = -1;
  ExpectRefused(baseline, "input_threshold is -1");
  baseline = good_;
  baseline.layers[0].variance[2] = -0.5;
  ExpectRefused(baseline, "variance has -0.5, wanted are finite numbers of 0");
  baseline = good_;
  baseline.inputs[0].mean[1] = std::numeric_limits<double>::infinity();
  ExpectRefused(baseline, "mean has inf, wanted are finite numbers");
  baseline = good_;
  baseline.layers[0].rate[0] = 1.5;
  ExpectRefused(baseline, "a firing_rate is above 1");
  baseline = good_;
  baseline.inputs[0].spread_limit[3] = 0;
  ExpectRefused(baseline, "input \"x\": a limit is not above 0");
  baseline = good_;
  baseline.layers[0].firing_threshold = -1;
  ExpectRefused(baseline, "the thresholds has -1");
}

}  // namespace
}  // namespace relu
