// How far what a model's neurons and inputs do is from its ActivityBaseline.

#ifndef CORE_RELU_ACTIVITY_DRIFT_H_
#define CORE_RELU_ACTIVITY_DRIFT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"

namespace relu {

// How many rows two means are of.
struct RowCounts {
  std::int64_t rows = 0;
  std::int64_t baseline_rows = 0;
};

// How many standard errors a firing rate is above that of the baseline. A
// neuron that was never on counts as on in half a row: so one that wakes up
// counts for much, and not for infinitely much.
double RateShift(double rate, double baseline_rate, RowCounts counts);

// Of some numbers.
struct Moments {
  double mean = 0.0;
  double variance = 0.0;
};

// That of `rows` numbers, from their sum and the sum of their squares.
Moments MomentsOf(double sum, double squares, double rows);

// How many standard errors a mean is above that of the baseline, by the
// variance of both together, which is at least `least_variance`; 0 if that is
// 0. (By the baseline's alone, the first row with a rare category would be
// infinitely far.)
double MeanShift(const Moments& window, const Moments& baseline,
                 RowCounts counts, double least_variance = 0.0);

// That of an input, of which the baseline has this mean: of one that is
// constant any change that float32 can tell is a shift.
double LeastVariance(double mean);

struct NeuronShift {
  double firing = 0.0;     // RateShift().
  double magnitude = 0.0;  // MeanShift() of the activation.
};

struct ElementShift {
  double mean = 0.0;    // MeanShift() of x.
  double spread = 0.0;  // MeanShift() of (x - the baseline's mean)^2.
  // The larger of their squares, each in parts of its limit.
  double score = 0.0;
};

// By neuron of a layer; `rows` >= 1 were counted.
std::vector<NeuronShift> NeuronShifts(const ActivityBaseline& baseline,
                                      std::size_t layer,
                                      const ActivityCounts& counts);

// By element of all inputs. The reference of the counts was the baseline's
// mean.
std::vector<ElementShift> ElementShifts(const ActivityBaseline& baseline,
                                        const ActivityCounts& counts);

struct DriftScores {
  // By layer: the mean of the squared shifts of its neurons. About 1 where
  // there is no drift.
  std::vector<double> firing;
  std::vector<double> magnitude;
  double inputs = 0.0;  // The largest score of an element.

  // Whether any is beyond its threshold.
  bool Exceed(const ActivityBaseline& baseline) const;
};

DriftScores ScoreDrift(const ActivityBaseline& baseline,
                       const ActivityCounts& counts);

}  // namespace relu

#endif  // CORE_RELU_ACTIVITY_DRIFT_H_
