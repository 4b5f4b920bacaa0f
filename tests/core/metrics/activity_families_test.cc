#include "core/metrics/activity_families.h"

#include <cstddef>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

#include "core/metrics/activity_figures.h"
#include "core/metrics/model_families.h"

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LabelledFigures Watched() {
  LabelledFigures model{.model = "m", .version = "2", .figures = {}};
  ActivityFigures& activity = model.figures.activity;
  activity.enabled = true;
  activity.has_baseline = true;
  activity.sampled_rows = 1000;
  activity.nonfinite_rows = 3;
  activity.skipped_rows = 4;
  activity.windows = 5;
  activity.drifted_windows = 1;
  activity.input_score = 2.5;
  activity.input_threshold = 1.25;
  activity.layers = {{.layer = "relu1",
                      .sparsity = 0.75,
                      .dead_neurons = 6,
                      .always_on_neurons = 7,
                      .saturated_neurons = 8,
                      .largest = 9.5,
                      .firing_score = 10.5,
                      .firing_threshold = 3.5,
                      .magnitude_score = 11.5,
                      .magnitude_threshold = 4.5}};
  return model;
}

std::string TextOf(const std::vector<LabelledFigures>& models) {
  return prometheus::TextSerializer().Serialize(ActivityFamilies(models));
}

TEST(ActivityFamiliesTest, EveryFigureIsThere) {
  const std::string text = TextOf({Watched()});
  const std::string model = R"({model="m",version="2"} )";
  const std::string layer = R"({model="m",version="2",layer="relu1"} )";
  for (const std::string& line :
       {"relu_activity_sampled_rows_total" + model + "1000",
        "relu_activity_nonfinite_rows_total" + model + "3",
        "relu_activity_skipped_rows_total" + model + "4",
        "relu_activity_windows_total" + model + "5",
        "relu_activity_drifted_windows_total" + model + "1",
        "relu_activity_input_drift_score" + model + "2.5",
        "relu_activity_input_drift_threshold" + model + "1.25",
        "relu_activity_sparsity" + layer + "0.75",
        "relu_activity_dead_neurons" + layer + "6",
        "relu_activity_always_on_neurons" + layer + "7",
        "relu_activity_saturated_neurons" + layer + "8",
        "relu_activity_largest" + layer + "9.5"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  const auto drift = [](const std::string& name, const std::string& monitor) {
    return "relu_activity_drift_" + name +
           R"({model="m",version="2",layer="relu1",monitor=")" + monitor +
           "\"} ";
  };
  EXPECT_THAT(text, HasSubstr(drift("score", "firing") + "10.5"));
  EXPECT_THAT(text, HasSubstr(drift("threshold", "firing") + "3.5"));
  EXPECT_THAT(text, HasSubstr(drift("score", "magnitude") + "11.5"));
  EXPECT_THAT(text, HasSubstr(drift("threshold", "magnitude") + "4.5"));
}

TEST(ActivityFamiliesTest, LayerHasNineSeries) {
  std::size_t series = 0;
  for (const auto& family : ActivityFamilies(std::vector{Watched()})) {
    for (const auto& metric : family.metric) {
      for (const auto& label : metric.label) {
        series += label.name == "layer" ? 1U : 0U;
      }
    }
  }
  EXPECT_EQ(series, 9U);
}

TEST(ActivityFamiliesTest, WithoutBaselineThereIsNoDrift) {
  LabelledFigures model = Watched();
  model.figures.activity.has_baseline = false;
  const std::string text = TextOf({model});
  EXPECT_THAT(text, HasSubstr("relu_activity_sparsity{"));
  EXPECT_THAT(text, Not(HasSubstr("drift_score{")));
  EXPECT_THAT(text, Not(HasSubstr("drift_threshold{")));
}

TEST(ActivityFamiliesTest, ModelThatIsNotLookedAtHasNoSeries) {
  EXPECT_EQ(TextOf({{.model = "m", .version = "1", .figures = {}}}), "");
}

}  // namespace
}  // namespace relu
