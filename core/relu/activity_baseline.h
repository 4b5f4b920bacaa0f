// ActivityBaseline: what a model's neurons and inputs do on rows that are as
// they should be, and how far rows in use may be from that.

#ifndef CORE_RELU_ACTIVITY_BASELINE_H_
#define CORE_RELU_ACTIVITY_BASELINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "core/plan/compiled_model.h"

namespace relu {

// By neuron of one layer.
struct LayerBaseline {
  std::string name;
  std::vector<double> rate;  // The part of the rows in which it is on.
  std::vector<double> mean;
  std::vector<double> variance;
  // Scores of the layer beyond these are drift.
  double firing_threshold = 0.0;
  double magnitude_threshold = 0.0;
};

// By element of one input.
struct InputBaseline {
  std::string name;
  std::vector<std::string> features;  // What they are called; may be empty.
  std::vector<double> mean;
  std::vector<double> variance;
  std::vector<double> spread_variance;  // Of (x - mean)^2.
  // The largest squares of the shifts of one element in windows of such rows.
  std::vector<double> mean_limit;
  std::vector<double> spread_limit;
};

struct ActivityBaseline {
  std::int64_t rows = 0;
  std::int64_t window_rows = 0;  // That are scored together.
  // The part of windows of such rows in which any of the scores is beyond its
  // threshold.
  double false_alarm_rate = 0.0;
  double input_threshold = 0.0;
  std::vector<LayerBaseline> layers;
  std::vector<InputBaseline> inputs;
};

// INVALID_ARGUMENT, with what is there and what is wanted, if it is not of this
// model, or a number in it makes no sense.
absl::Status CheckBaseline(const ActivityBaseline& baseline,
                           const CompiledModel& model);

}  // namespace relu

#endif  // CORE_RELU_ACTIVITY_BASELINE_H_
