#include "client/cli/activity_text.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/activity.h"
#include "client/cli/output_form.h"
#include "tests/client/cli/activity_testing.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

TEST(ActivityTextTest, OverviewLeadsFromTheAlarmToTheInput) {
  const std::string text = ActivityOverview(DriftedActivity(), 5);
  EXPECT_THAT(text, HasSubstr("credit version 2: 1010 rows looked at, 1 of "
                              "401, 10 of them with infinite or NaN inputs\n"));
  EXPECT_THAT(text, HasSubstr("3 windows of 256 rows, 1 with drift (1.0 % "
                              "without any, by calibration on 3000 rows)\n"));
  EXPECT_THAT(text, HasSubstr("the last window: DRIFT\n"));
  EXPECT_THAT(text, HasSubstr("8.25 !"));
  EXPECT_THAT(text, HasSubstr("in all but 0.3 % of rows"));
  EXPECT_THAT(text, HasSubstr("income"));
  EXPECT_THAT(text, HasSubstr("4.5 !"));
  EXPECT_THAT(text, HasSubstr("relu1[2]"));
  EXPECT_THAT(text, HasSubstr("income +0.28"));
}

TEST(ActivityTextTest, DeeperNeuronsLeadToTheInputsBehindThem) {
  const std::string text = ActivityOverview(DriftedActivity(), 5);
  EXPECT_THAT(text, HasSubstr("relu1[2] +0.5\n"));
  // Of those that read neurons alone.
  EXPECT_THAT(
      text,
      HasSubstr("\nthe inputs behind neurons of deeper layers, and what they "
                "leave open\n"
                "neuron    its sum  left open  moved by\n"
                "relu2[0]  +0.5     +0.15      income +0.35\n\n"));
  ActivityResult shallow = DriftedActivity();
  shallow.layers.pop_back();
  EXPECT_THAT(ActivityOverview(shallow, 5), Not(HasSubstr("behind")));
}

TEST(ActivityTextTest, WithoutCalibrationThereIsNoDrift) {
  ActivityResult result = DriftedActivity();
  result.baseline_rows = 0;
  result.inputs[0].score.clear();
  for (LayerActivity& layer : result.layers) {
    layer.moved.clear();
  }
  const std::string text = ActivityOverview(result, 5);
  EXPECT_THAT(text, HasSubstr("no calibration"));
  EXPECT_THAT(text, Not(HasSubstr("threshold")));
  EXPECT_THAT(text, Not(HasSubstr("moved")));
}

TEST(ActivityTextTest, NoMoreInputsThanAreWanted) {
  const ActivityResult result = DriftedActivity();
  const auto moved = MovedInputs(result, 1);
  ASSERT_EQ(moved.size(), 1U);
  EXPECT_EQ(moved[0].element, 1U);
  EXPECT_EQ(MovedInputs(result, 5).size(), 2U);
}

TEST(ActivityTextTest, HeatMapHasAShadeForEachNeuron) {
  EXPECT_EQ(HeatMap({0, 0.1, 0.3, 0.6, 1}), "·░▒▓█\n");
  EXPECT_EQ(HeatMap({}), "");
  // Lines of 64, and at most 512 cells.
  const std::string wide = HeatMap(std::vector<double>(1024, 0.9));
  EXPECT_EQ(std::ranges::count(wide, '\n'), 8);
  std::string line;
  for (int i = 0; i < 64; ++i) {
    line += "█";
  }
  EXPECT_EQ(wide.substr(0, line.size() + 1), line + "\n");
}

TEST(ActivityTextTest, IntervalsAreWilsons) {
  // 5 of 10, as tables of Wilson's interval have it.
  const auto [low, high] = RateInterval(0.5, 10);
  EXPECT_NEAR(low, 0.2366, 1e-4);
  EXPECT_NEAR(high, 0.7634, 1e-4);
  EXPECT_NEAR(RateInterval(0, 100).second, 0.0370, 1e-4);
  EXPECT_EQ(RateInterval(0, 100).first, 0);
  EXPECT_EQ(RateInterval(0.5, 0).second, 1);
}

TEST(ActivityTextTest, NeuronsAreListedWithTheirIntervals) {
  const std::string csv =
      NeuronListing(DriftedActivity(), "relu1", {.form = OutputForm::kCsv});
  EXPECT_THAT(csv, HasSubstr("layer,neuron,on,on_low,on_high,mean,largest,"
                             "firing_shift,magnitude_shift\n"));
  EXPECT_THAT(csv, HasSubstr("relu1,2,0.4,0.3701,0.4307,1,5,6,2\n"));
  EXPECT_THAT(csv, Not(HasSubstr("relu2")));
  EXPECT_THAT(NeuronListing(DriftedActivity(), "", {.form = OutputForm::kCsv}),
              HasSubstr("relu2,0,0.5,"));
}

TEST(ActivityTextTest, JsonHasEveryField) {
  const auto json = nlohmann::json::parse(ActivityJson(DriftedActivity()));
  EXPECT_EQ(json["model_name"], "credit");
  EXPECT_EQ(json["drift"], true);
  EXPECT_EQ(json["input_threshold"], 1.5);
  EXPECT_EQ(json["layers"][0]["firing_rate"][3], 0.6);
  EXPECT_EQ(json["layers"][0]["moved"][0]["causes"][0]["source"], "x");
  EXPECT_EQ(json["layers"][0]["moved"][0]["causes"][0]["moved_by"], 0.28);
  EXPECT_EQ(json["layers"][1]["moved"][0]["origins"][0]["source"], "x");
  EXPECT_EQ(json["layers"][1]["moved"][0]["origins"][0]["moved_by"], 0.35);
  EXPECT_EQ(json["layers"][1]["moved"][0]["sum_shift"], 0.5);
  EXPECT_EQ(json["layers"][1]["moved"][0]["origin_remainder"], 0.15);
  EXPECT_EQ(json["inputs"][0]["features"][1], "income");
  EXPECT_EQ(json["inputs"][0]["score"][1], 4.5);
}

}  // namespace
}  // namespace relu
