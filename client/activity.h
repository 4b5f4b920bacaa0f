// What InferenceClient::GetActivity() asks a relud server, and its answer: what
// the neurons of a model do, and how far that is from its calibration.
// proto/relu.proto says what the figures mean.
//
// This header is installed; it includes neither gRPC nor protobuf.

#ifndef CLIENT_ACTIVITY_H_
#define CLIENT_ACTIVITY_H_

#include <cstdint>
#include <string>
#include <vector>

namespace relu {

struct ActivityRequest {
  std::string model;
  std::string version;      // Empty: the latest.
  std::uint32_t top_k = 0;  // 0: 5.
};

// An element of an input, or a neuron of a layer, that moved a neuron.
struct ActivityCause {
  std::string source;  // Of the input or layer.
  std::int64_t element = 0;
  double mean = 0.0;
  double baseline_mean = 0.0;
  double weight = 0.0;
  double moved_by = 0.0;  // weight * (mean - baseline_mean).
};

struct MovedNeuron {
  std::int64_t neuron = 0;
  double firing_rate = 0.0;
  double baseline_firing_rate = 0.0;
  double mean = 0.0;
  double baseline_mean = 0.0;
  std::vector<ActivityCause> causes;  // The largest first.
  // Elements of inputs behind these, through the layers between.
  std::vector<ActivityCause> origins;
  double sum_shift = 0.0;
  double origin_remainder = 0.0;  // What of it the inputs leave open.
};

// Lists are by neuron.
struct LayerActivity {
  std::string name;
  std::string function;
  std::vector<double> firing_rate;
  std::vector<double> mean;
  std::vector<double> largest;
  double sparsity = 0.0;
  std::int64_t dead = 0;
  std::int64_t always_on = 0;
  std::int64_t saturated = 0;
  double firing_score = 0.0;
  double firing_threshold = 0.0;
  double magnitude_score = 0.0;
  double magnitude_threshold = 0.0;
  std::vector<double> firing_shift;
  std::vector<double> magnitude_shift;
  std::vector<MovedNeuron> moved;
};

// Lists are by element; those about a baseline are empty without one, and those
// of scores until a window is complete.
struct InputActivity {
  std::string name;
  std::vector<std::string> features;
  std::vector<double> mean;
  std::vector<double> variance;
  std::vector<double> baseline_mean;
  std::vector<double> baseline_variance;
  std::vector<double> mean_shift;
  std::vector<double> spread_shift;
  std::vector<double> score;

  // "Income" or, without names, "x[3]".
  std::string FeatureName(std::int64_t element) const;
};

struct ActivityResult {
  std::string model_name;
  std::string model_version;
  std::int64_t sample_every = 0;
  std::int64_t sampled_rows = 0;
  std::int64_t nonfinite_rows = 0;
  std::int64_t skipped_rows = 0;
  double unseen_bound = 0.0;
  std::int64_t window_rows = 0;
  std::int64_t windows = 0;
  std::int64_t drifted_windows = 0;
  std::int64_t baseline_rows = 0;  // 0: there is no calibration.
  double false_alarm_rate = 0.0;
  double input_score = 0.0;
  double input_threshold = 0.0;
  bool drift = false;  // Of the last window.
  std::vector<LayerActivity> layers;
  std::vector<InputActivity> inputs;
};

}  // namespace relu

#endif  // CLIENT_ACTIVITY_H_
