#include "core/relu/activity_drift.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"

namespace relu {
namespace {

// Beyond any threshold, and a number that JSON has: for what is infinite.
constexpr double kLargestShift = 1e15;

double Bounded(double shift) {
  return std::isnan(shift) ? kLargestShift
                           : std::clamp(shift, -kLargestShift, kLargestShift);
}

double StandardError(double variance, RowCounts counts) {
  return std::sqrt(variance *
                   (1.0 / static_cast<double>(counts.rows) +
                    1.0 / static_cast<double>(counts.baseline_rows)));
}

ElementShift ShiftOf(const InputBaseline& input, std::size_t i,
                     const ActivityCounts& counts, std::size_t element,
                     RowCounts rows) {
  const auto count = static_cast<double>(counts.rows);
  const double least = LeastVariance(input.mean[i]);
  const double squares = counts.input_squares[element];
  // From the baseline's mean, as the counts are.
  ElementShift shift{
      .mean =
          MeanShift(MomentsOf(counts.input_sum[element], squares, count),
                    {.mean = 0.0, .variance = input.variance[i]}, rows, least),
      .spread = MeanShift(
          MomentsOf(squares, counts.input_fourths[element], count),
          {.mean = input.variance[i], .variance = input.spread_variance[i]},
          rows, least * least)};
  shift.score =
      Bounded(std::max(shift.mean * shift.mean / input.mean_limit[i],
                       shift.spread * shift.spread / input.spread_limit[i]));
  return shift;
}

}  // namespace

double RateShift(double rate, double baseline_rate, RowCounts counts) {
  const auto rows = static_cast<double>(counts.rows);
  const auto baseline_rows = static_cast<double>(counts.baseline_rows);
  // Of both together, as for means.
  const double both = (rows * rate + baseline_rows * baseline_rate + 0.5) /
                      (rows + baseline_rows + 1.0);
  return Bounded((rate - baseline_rate) /
                 StandardError(both * (1.0 - both), counts));
}

Moments MomentsOf(double sum, double squares, double rows) {
  const double mean = sum / rows;
  return {.mean = mean,
          .variance = std::max(squares / rows - mean * mean, 0.0)};
}

double MeanShift(const Moments& window, const Moments& baseline,
                 RowCounts counts, double least_variance) {
  const auto rows = static_cast<double>(counts.rows);
  const auto baseline_rows = static_cast<double>(counts.baseline_rows);
  const double both =
      (rows * window.variance + baseline_rows * baseline.variance) /
      (rows + baseline_rows);
  const double variance = std::max(both, least_variance);
  return variance <= 0.0 ? 0.0
                         : Bounded((window.mean - baseline.mean) /
                                   StandardError(variance, counts));
}

double LeastVariance(double mean) {
  const double least = 1e-6 * std::max(1.0, std::abs(mean));
  return least * least;
}

std::vector<NeuronShift> NeuronShifts(const ActivityBaseline& baseline,
                                      std::size_t layer,
                                      const ActivityCounts& counts) {
  const RowCounts rows{.rows = counts.rows, .baseline_rows = baseline.rows};
  const auto count = static_cast<double>(counts.rows);
  const LayerBaseline& was = baseline.layers[layer];
  const LayerCounts& is = counts.layers[layer];
  std::vector<NeuronShift> shifts(was.rate.size());
  for (std::size_t j = 0; j < shifts.size(); ++j) {
    shifts[j].firing =
        RateShift(static_cast<double>(is.on[j]) / count, was.rate[j], rows);
    shifts[j].magnitude =
        MeanShift(MomentsOf(is.sum[j], is.squares[j], count),
                  {.mean = was.mean[j], .variance = was.variance[j]}, rows);
  }
  return shifts;
}

std::vector<ElementShift> ElementShifts(const ActivityBaseline& baseline,
                                        const ActivityCounts& counts) {
  const RowCounts rows{.rows = counts.rows, .baseline_rows = baseline.rows};
  std::vector<ElementShift> shifts;
  for (const InputBaseline& input : baseline.inputs) {
    for (std::size_t i = 0; i < input.mean.size(); ++i) {
      shifts.push_back(ShiftOf(input, i, counts, shifts.size(), rows));
    }
  }
  return shifts;
}

bool DriftScores::Exceed(const ActivityBaseline& baseline) const {
  bool exceed = inputs > baseline.input_threshold;
  for (std::size_t i = 0; i < baseline.layers.size(); ++i) {
    exceed = exceed || firing[i] > baseline.layers[i].firing_threshold ||
             magnitude[i] > baseline.layers[i].magnitude_threshold;
  }
  return exceed;
}

DriftScores ScoreDrift(const ActivityBaseline& baseline,
                       const ActivityCounts& counts) {
  DriftScores scores;
  for (std::size_t i = 0; i < baseline.layers.size(); ++i) {
    double firing = 0.0;
    double magnitude = 0.0;
    const std::vector<NeuronShift> shifts = NeuronShifts(baseline, i, counts);
    for (const NeuronShift& shift : shifts) {
      firing += shift.firing * shift.firing;
      magnitude += shift.magnitude * shift.magnitude;
    }
    scores.firing.push_back(firing / static_cast<double>(shifts.size()));
    scores.magnitude.push_back(magnitude / static_cast<double>(shifts.size()));
  }
  for (const ElementShift& shift : ElementShifts(baseline, counts)) {
    scores.inputs = std::max(scores.inputs, shift.score);
  }
  return scores;
}

}  // namespace relu
