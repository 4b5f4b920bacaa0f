#include "client/activity_message.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"

#include "client/activity.h"
#include "fmt/format.h"
#include "proto/relu.pb.h"

namespace relu {
namespace {

std::vector<double> Numbers(
    const google::protobuf::RepeatedField<double>& field) {
  return {field.begin(), field.end()};
}

std::vector<ActivityCause> CausesOf(
    const google::protobuf::RepeatedPtrField<v1::Contribution>& field) {
  std::vector<ActivityCause> causes;
  for (const v1::Contribution& cause : field) {
    causes.push_back({.source = cause.input(),
                      .element = cause.element(),
                      .mean = cause.value(),
                      .baseline_mean = cause.baseline(),
                      .weight = cause.gradient(),
                      .moved_by = cause.contribution()});
  }
  return causes;
}

MovedNeuron NeuronOf(const v1::MovedNeuron& message) {
  return {.neuron = message.neuron(),
          .firing_rate = message.firing_rate(),
          .baseline_firing_rate = message.baseline_firing_rate(),
          .mean = message.mean(),
          .baseline_mean = message.baseline_mean(),
          .causes = CausesOf(message.causes()),
          .origins = CausesOf(message.origins()),
          .sum_shift = message.sum_shift(),
          .origin_remainder = message.origin_remainder()};
}

LayerActivity LayerOf(const v1::LayerActivity& message) {
  LayerActivity layer{.name = message.name(),
                      .function = message.function(),
                      .firing_rate = Numbers(message.firing_rate()),
                      .mean = Numbers(message.mean()),
                      .largest = Numbers(message.largest()),
                      .sparsity = message.sparsity(),
                      .dead = message.dead(),
                      .always_on = message.always_on(),
                      .saturated = message.saturated(),
                      .firing_score = message.firing_score(),
                      .firing_threshold = message.firing_threshold(),
                      .magnitude_score = message.magnitude_score(),
                      .magnitude_threshold = message.magnitude_threshold(),
                      .firing_shift = Numbers(message.firing_shift()),
                      .magnitude_shift = Numbers(message.magnitude_shift()),
                      .moved = {}};
  for (const v1::MovedNeuron& neuron : message.moved()) {
    layer.moved.push_back(NeuronOf(neuron));
  }
  return layer;
}

InputActivity InputOf(const v1::InputActivity& message) {
  return {.name = message.name(),
          .features = {message.features().begin(), message.features().end()},
          .mean = Numbers(message.mean()),
          .variance = Numbers(message.variance()),
          .baseline_mean = Numbers(message.baseline_mean()),
          .baseline_variance = Numbers(message.baseline_variance()),
          .mean_shift = Numbers(message.mean_shift()),
          .spread_shift = Numbers(message.spread_shift()),
          .score = Numbers(message.score())};
}

}  // namespace

std::string InputActivity::FeatureName(std::int64_t element) const {
  const auto place = static_cast<std::size_t>(element);
  return place < features.size() ? features[place]
                                 : fmt::format("{}[{}]", name, element);
}

std::string EncodeActivityRequest(const ActivityRequest& request) {
  v1::GetActivityRequest message;
  message.set_model_name(request.model);
  message.set_model_version(request.version);
  message.set_top_k(request.top_k);
  return message.SerializeAsString();
}

absl::StatusOr<ActivityResult> DecodeActivityResponse(
    const std::string& bytes) {
  v1::GetActivityResponse message;
  if (!message.ParseFromString(bytes)) {
    return absl::InternalError(fmt::format(
        "the answer of {} bytes is no GetActivityResponse", bytes.size()));
  }
  ActivityResult result{.model_name = message.model_name(),
                        .model_version = message.model_version(),
                        .sample_every = message.sample_every(),
                        .sampled_rows = message.sampled_rows(),
                        .nonfinite_rows = message.nonfinite_rows(),
                        .skipped_rows = message.skipped_rows(),
                        .unseen_bound = message.unseen_bound(),
                        .window_rows = message.window_rows(),
                        .windows = message.windows(),
                        .drifted_windows = message.drifted_windows(),
                        .baseline_rows = message.baseline_rows(),
                        .false_alarm_rate = message.false_alarm_rate(),
                        .input_score = message.input_score(),
                        .input_threshold = message.input_threshold(),
                        .drift = message.drift(),
                        .layers = {},
                        .inputs = {}};
  for (const v1::LayerActivity& layer : message.layers()) {
    result.layers.push_back(LayerOf(layer));
  }
  for (const v1::InputActivity& input : message.inputs()) {
    result.inputs.push_back(InputOf(input));
  }
  return result;
}

}  // namespace relu
