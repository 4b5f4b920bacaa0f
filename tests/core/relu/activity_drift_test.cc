#include "core/relu/activity_drift.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"
#include "tests/core/relu/activity_testing.h"

namespace relu {
namespace {

constexpr RowCounts kCounts{.rows = 100, .baseline_rows = 300};

TEST(ActivityDriftTest, RateIsShiftedByStandardErrorsOfBothSamples) {
  // Half a row more of 401: what both are on in.
  const double both = (60 + 150 + 0.5) / 401;
  EXPECT_NEAR(RateShift(0.6, 0.5, kCounts),
              0.1 / std::sqrt(both * (1 - both) * (1.0 / 100 + 1.0 / 300)),
              1e-12);
  EXPECT_NEAR(RateShift(0.5, 0.5, kCounts), 0, 1e-12);
}

TEST(ActivityDriftTest, NeuronThatWakesUpIsShiftedFarAndFinitely) {
  const double shift = RateShift(0.2, 0.0, kCounts);
  EXPECT_GT(shift, 5);
  EXPECT_LT(shift, 10);
  // In one row it may be chance.
  EXPECT_LT(RateShift(0.01, 0.0, kCounts), 1.5);
  EXPECT_EQ(RateShift(0.0, 0.0, kCounts), 0);
}

TEST(ActivityDriftTest, NeuronThatFallsAsleepIsShiftedAsFar) {
  for (const double rate : {0.0, 0.01, 0.2, 0.7}) {
    EXPECT_NEAR(RateShift(1.0 - rate, 1.0, kCounts),
                -RateShift(rate, 0.0, kCounts), 1e-12);
  }
}

TEST(ActivityDriftTest, MomentsAreThoseOfTheNumbers) {
  const Moments moments = MomentsOf(6, 20, 3);
  EXPECT_EQ(moments.mean, 2);
  EXPECT_NEAR(moments.variance, 20.0 / 3 - 4, 1e-12);
  EXPECT_EQ(MomentsOf(3, 2.999999999, 3).variance, 0);
}

TEST(ActivityDriftTest, MeanIsShiftedByStandardErrorsOfBothSamples) {
  const double factor = std::sqrt(1.0 / 100 + 1.0 / 300);
  EXPECT_NEAR(MeanShift({3, 4}, {2, 4}, kCounts), 1 / (2 * factor), 1e-12);
  EXPECT_NEAR(MeanShift({3, 0}, {2, 16}, kCounts), 1 / (std::sqrt(12) * factor),
              1e-12);
  EXPECT_EQ(MeanShift({3, 0}, {2, 0}, kCounts), 0);
  EXPECT_NEAR(MeanShift({3, 0}, {2, 0}, kCounts, 0.25), 1 / (0.5 * factor),
              1e-12);
}

// 1 in one of 100 rows, where the 300 of the baseline have 0.
TEST(ActivityDriftTest, FirstRowOfARareCategoryIsNotFar) {
  const double shift =
      MeanShift(MomentsOf(1, 1, 100), {0, 0}, kCounts, LeastVariance(0));
  EXPECT_NEAR(shift * shift, 3, 0.1);
}

TEST(ActivityDriftTest, ShiftsOfWhatIsNotFiniteAreLargeNumbers) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_GT(MeanShift({infinity, 1}, {0, 1}, kCounts), 1e12);
  EXPECT_LT(MeanShift({-infinity, 1}, {0, 1}, kCounts), -1e12);
  EXPECT_GT(MeanShift(MomentsOf(infinity, infinity, 100), {0, 1}, kCounts),
            1e12);
  EXPECT_TRUE(std::isfinite(MeanShift({infinity, 1}, {0, 1}, kCounts)));
}

TEST(ActivityDriftTest, ConstantInputHasALittleVariance) {
  EXPECT_NEAR(LeastVariance(1000), 1e-6, 1e-18);
  EXPECT_NEAR(LeastVariance(0), 1e-12, 1e-24);
}

// One layer of two neurons, one input of two elements.
ActivityBaseline SmallBaseline() {
  return {.rows = 300,
          .window_rows = 100,
          .false_alarm_rate = 0.01,
          .input_threshold = 2,
          .layers = {{.name = "l",
                      .rate = {0.5, 0.5},
                      .mean = {1, 2},
                      .variance = {1, 4},
                      .firing_threshold = 3,
                      .magnitude_threshold = 3}},
          .inputs = {{.name = "x",
                      .features = {},
                      .mean = {10, 20},
                      .variance = {1, 4},
                      .spread_variance = {2, 32},
                      .mean_limit = {8, 8},
                      .spread_limit = {8, 8}}}};
}

// Of 100 rows that are as in the baseline.
ActivityCounts CleanCounts(const CompiledModel& model) {
  ActivityCounts counts(model);
  counts.rows = 100;
  counts.layers[0].on = {50, 50};
  counts.layers[0].sum = {100, 200};
  counts.layers[0].squares = {200, 800};
  counts.input_sum = {0, 0};
  counts.input_squares = {100, 400};
  counts.input_fourths = {300, 4800};
  return counts;
}

TEST(ActivityDriftTest, RowsAsInTheBaselineHaveNoDrift) {
  const CompiledModel model = CompileActivity(TwoNeurons());
  const ActivityBaseline baseline = SmallBaseline();
  const DriftScores scores = ScoreDrift(baseline, CleanCounts(model));
  EXPECT_NEAR(scores.firing[0], 0, 1e-9);
  EXPECT_NEAR(scores.magnitude[0], 0, 1e-9);
  EXPECT_NEAR(scores.inputs, 0, 1e-9);
  EXPECT_FALSE(scores.Exceed(baseline));
}

TEST(ActivityDriftTest, LayerScoresAreMeansOfSquaredShifts) {
  const CompiledModel model = CompileActivity(TwoNeurons());
  const ActivityBaseline baseline = SmallBaseline();
  ActivityCounts counts = CleanCounts(model);
  counts.layers[0].on[0] = 70;
  counts.layers[0].sum[1] = 320;
  counts.layers[0].squares[1] = 1424;  // The variance is 4 still.
  const DriftScores scores = ScoreDrift(baseline, counts);
  const auto shifts = NeuronShifts(baseline, 0, counts);
  EXPECT_NEAR(scores.firing[0], shifts[0].firing * shifts[0].firing / 2, 1e-9);
  EXPECT_NEAR(scores.magnitude[0],
              shifts[1].magnitude * shifts[1].magnitude / 2, 1e-9);
  EXPECT_NEAR(shifts[1].magnitude, 1.2 / std::sqrt(4 * (1.0 / 100 + 1.0 / 300)),
              1e-9);
  EXPECT_TRUE(scores.Exceed(baseline));
}

TEST(ActivityDriftTest, InputScoresAreSquaredShiftsInPartsOfTheirLimits) {
  const CompiledModel model = CompileActivity(TwoNeurons());
  const ActivityBaseline baseline = SmallBaseline();
  ActivityCounts counts = CleanCounts(model);
  // The mean of the first is 10.6, the spread of the other 9; variances stay.
  counts.input_sum[0] = 60;
  counts.input_squares = {136, 900};
  counts.input_fourths = {100 * (2 + 1.36 * 1.36), 100 * (32 + 81)};
  const auto shifts = ElementShifts(baseline, counts);
  const double mean = 0.6 / std::sqrt(1 * (1.0 / 100 + 1.0 / 300));
  const double spread = 5 / std::sqrt(32 * (1.0 / 100 + 1.0 / 300));
  EXPECT_NEAR(shifts[0].mean, mean, 1e-9);
  EXPECT_NEAR(shifts[0].score, mean * mean / 8, 1e-9);
  EXPECT_NEAR(shifts[1].spread, spread, 1e-9);
  EXPECT_NEAR(shifts[1].score, spread * spread / 8, 1e-9);
  const DriftScores scores = ScoreDrift(baseline, counts);
  EXPECT_NEAR(scores.inputs, spread * spread / 8, 1e-9);
  EXPECT_TRUE(scores.Exceed(baseline));
}

TEST(ActivityDriftTest, AnyScoreBeyondItsThresholdIsDrift) {
  const ActivityBaseline baseline = SmallBaseline();
  const auto exceed = [&](double firing, double magnitude, double inputs) {
    return DriftScores{
        .firing = {firing}, .magnitude = {magnitude}, .inputs = inputs}
        .Exceed(baseline);
  };
  EXPECT_FALSE(exceed(3, 3, 2));
  EXPECT_TRUE(exceed(3.1, 0, 0));
  EXPECT_TRUE(exceed(0, 3.1, 0));
  EXPECT_TRUE(exceed(0, 0, 2.1));
}

}  // namespace
}  // namespace relu
