// ActivityFigures: what metrics say of the activity of a model's neurons.

#ifndef CORE_METRICS_ACTIVITY_FIGURES_H_
#define CORE_METRICS_ACTIVITY_FIGURES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace relu {

// Of one activation layer, over the rows that were looked at.
struct LayerFigures {
  std::string layer;
  double sparsity = 0.0;  // The part of its values that is off.
  std::int64_t dead_neurons = 0;
  std::int64_t always_on_neurons = 0;
  std::int64_t saturated_neurons = 0;
  double largest = 0.0;
  // Of the last window, and what it is beyond in a few of clean windows.
  double firing_score = 0.0;
  double firing_threshold = 0.0;
  double magnitude_score = 0.0;
  double magnitude_threshold = 0.0;
};

struct ActivityFigures {
  bool enabled = false;       // Else the rest means nothing.
  bool has_baseline = false;  // Else scores and thresholds mean nothing.
  std::uint64_t sampled_rows = 0;
  std::uint64_t nonfinite_rows = 0;
  std::uint64_t skipped_rows = 0;
  std::uint64_t windows = 0;
  std::uint64_t drifted_windows = 0;
  double input_score = 0.0;
  double input_threshold = 0.0;
  std::vector<LayerFigures> layers;
};

}  // namespace relu

#endif  // CORE_METRICS_ACTIVITY_FIGURES_H_
