// What the tests of `reluctl activity` share: an answer with drift.

#ifndef TESTS_CLIENT_CLI_ACTIVITY_TESTING_H_
#define TESTS_CLIENT_CLI_ACTIVITY_TESTING_H_

#include "client/activity.h"

namespace relu {

// Two layers, of which the first has moved because of "income".
inline ActivityResult DriftedActivity() {
  ActivityResult result;
  result.model_name = "credit";
  result.model_version = "2";
  result.sample_every = 401;
  result.sampled_rows = 1010;
  result.nonfinite_rows = 10;
  result.unseen_bound = 0.003;
  result.window_rows = 256;
  result.windows = 3;
  result.drifted_windows = 1;
  result.baseline_rows = 3000;
  result.false_alarm_rate = 0.01;
  result.input_score = 4.5;
  result.input_threshold = 1.5;
  result.drift = true;
  LayerActivity& first = result.layers.emplace_back();
  first.name = "relu1";
  first.function = "Relu";
  first.firing_rate = {0, 0.2, 0.4, 0.6, 1};
  first.mean = {0, 0.5, 1, 1.5, 2};
  first.largest = {0, 4, 5, 6, 7.25};
  first.sparsity = 0.56;
  first.dead = 1;
  first.always_on = 1;
  first.firing_score = 8.25;
  first.firing_threshold = 2.5;
  first.magnitude_score = 2;
  first.magnitude_threshold = 3;
  first.firing_shift = {0, -1, 6, 0.5, 0};
  first.magnitude_shift = {0, 1, 2, 3, 4};
  first.moved = {{.neuron = 2,
                  .firing_rate = 0.5,
                  .baseline_firing_rate = 0.25,
                  .mean = 1.25,
                  .baseline_mean = 1,
                  .causes = {{.source = "x",
                              .element = 1,
                              .mean = 168,
                              .baseline_mean = 140,
                              .weight = 0.01,
                              .moved_by = 0.28}},
                  .origins = {{.source = "x",
                               .element = 1,
                               .mean = 168,
                               .baseline_mean = 140,
                               .weight = 0.01,
                               .moved_by = 0.28}},
                  .sum_shift = 0.28}};
  LayerActivity& second = result.layers.emplace_back();
  second.name = "relu2";
  second.function = "Clip";
  second.firing_rate = {0.5};
  second.mean = {1};
  second.largest = {6};
  second.saturated = 1;
  second.firing_score = 1;
  second.firing_threshold = 2;
  second.magnitude_threshold = 2;
  second.firing_shift = {1};
  second.magnitude_shift = {0};
  second.moved = {{.neuron = 0,
                   .firing_rate = 0.5,
                   .baseline_firing_rate = 0.25,
                   .mean = 1,
                   .baseline_mean = 0.5,
                   .causes = {{.source = "relu1",
                               .element = 2,
                               .mean = 1.25,
                               .baseline_mean = 1,
                               .weight = 2,
                               .moved_by = 0.5}},
                   .origins = {{.source = "x",
                                .element = 1,
                                .mean = 168,
                                .baseline_mean = 140,
                                .weight = 0.0125,
                                .moved_by = 0.35}},
                   .sum_shift = 0.5,
                   .origin_remainder = 0.15}};
  result.inputs = {{.name = "x",
                    .features = {"age", "income"},
                    .mean = {40, 168},
                    .variance = {100, 400},
                    .baseline_mean = {40, 140},
                    .baseline_variance = {100, 225},
                    .mean_shift = {0.1, 6},
                    .spread_shift = {0, 2},
                    .score = {0.1, 4.5}}};
  return result;
}

}  // namespace relu

#endif  // TESTS_CLIENT_CLI_ACTIVITY_TESTING_H_
