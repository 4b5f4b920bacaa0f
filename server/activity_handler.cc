#include "server/activity_handler.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/repeated_field.h"

#include "core/base/status_macros.h"
#include "core/plan/activation_layers.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"
#include "core/relu/activity_drift.h"
#include "core/relu/activity_origins.h"
#include "core/relu/packed_product.h"
#include "core/repository/model.h"
#include "core/repository/model_activity.h"
#include "core/repository/model_repository.h"
#include "core/tensor/data_type.h"
#include "fmt/format.h"
#include "proto/relu.pb.h"
#include "server/text.h"

namespace relu {
namespace {

constexpr std::size_t kDefaultTopK = 5;
// What going back from neurons to inputs may take in one call.
constexpr std::size_t kMostMultiplyAdds = 1'000'000'000;
// Neurons at once, so that it takes memory as the counts do.
constexpr std::size_t kOriginNeurons = 16;

// JSON has no word for what is infinite or NaN, as activations may be.
double Finite(double number) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  return std::isnan(number) ? kLargest
                            : std::clamp(number, -kLargest, kLargest);
}

double Share(double count, std::int64_t rows) {
  return rows == 0 ? 0.0 : Finite(count / static_cast<double>(rows));
}

// The places of the `k` largest, the largest first; of equal ones the first.
std::vector<std::size_t> Largest(const std::vector<double>& numbers,
                                 std::size_t k) {
  std::vector<std::size_t> places(numbers.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::stable_sort(places, std::ranges::greater(),
                           [&](std::size_t i) { return numbers[i]; });
  places.resize(std::min(k, places.size()));
  return places;
}

// Fills a response from what was seen.
class ActivityAnswer {
 public:
  ActivityAnswer(const ModelActivity& activity, const ActivityReport& report,
                 std::size_t top_k)
      : model_(activity.model()),
        baseline_(activity.baseline()),
        report_(report),
        top_k_(top_k),
        has_scores_(report.scores.has_value()) {}

  void Fill(v1::GetActivityResponse& response) const {
    const ActivityCounts& total = report_.total;
    response.set_sample_every(report_.sample_every);
    response.set_sampled_rows(total.rows + total.nonfinite_rows);
    response.set_nonfinite_rows(total.nonfinite_rows);
    response.set_skipped_rows(static_cast<std::int64_t>(report_.skipped_rows));
    // (1 - p)^rows = 5 %.
    response.set_unseen_bound(
        total.rows == 0
            ? 1.0
            : 1.0 - std::pow(0.05, 1.0 / static_cast<double>(total.rows)));
    response.set_window_rows(report_.window_rows);
    response.set_windows(static_cast<std::int64_t>(report_.windows));
    response.set_drifted_windows(
        static_cast<std::int64_t>(report_.drifted_windows));
    if (baseline_.has_value()) {
      response.set_baseline_rows(baseline_->rows);
      response.set_false_alarm_rate(baseline_->false_alarm_rate);
      response.set_input_threshold(baseline_->input_threshold);
    }
    if (has_scores_) {
      response.set_input_score(report_.scores->inputs);
      response.set_drift(report_.scores->Exceed(*baseline_));
    }
    for (std::size_t i = 0; i < total.layers.size(); ++i) {
      FillLayer(i, *response.add_layers());
    }
    FillOrigins(response);
    FillInputs(response);
  }

 private:
  void FillLayer(std::size_t i, v1::LayerActivity& layer) const {
    const LayerCounts& counts = report_.total.layers[i];
    const std::int64_t rows = report_.total.rows;
    layer.set_name(model_.activations()[i].name);
    layer.set_function(model_.activations()[i].function);
    double on = 0.0;
    for (std::size_t j = 0; j < counts.on.size(); ++j) {
      const double rate = Share(static_cast<double>(counts.on[j]), rows);
      on += rate;
      layer.add_firing_rate(rate);
      layer.add_mean(Share(counts.sum[j], rows));
      layer.add_largest(Finite(double{counts.largest[j]}));
    }
    if (rows > 0) {
      layer.set_sparsity(1.0 - on / static_cast<double>(counts.on.size()));
      layer.set_dead(counts.dead());
      layer.set_always_on(counts.always_on(rows));
      layer.set_saturated(counts.always_saturated(rows));
    }
    if (baseline_.has_value()) {
      layer.set_firing_threshold(baseline_->layers[i].firing_threshold);
      layer.set_magnitude_threshold(baseline_->layers[i].magnitude_threshold);
    }
    if (has_scores_) {
      FillDrift(i, layer);
    }
  }

  void FillDrift(std::size_t i, v1::LayerActivity& layer) const {
    layer.set_firing_score(report_.scores->firing[i]);
    layer.set_magnitude_score(report_.scores->magnitude[i]);
    std::vector<double> sizes;
    for (const NeuronShift& shift :
         NeuronShifts(*baseline_, i, report_.window)) {
      layer.add_firing_shift(shift.firing);
      layer.add_magnitude_shift(shift.magnitude);
      sizes.push_back(
          std::max(std::abs(shift.firing), std::abs(shift.magnitude)));
    }
    if (layer.firing_score() > layer.firing_threshold() ||
        layer.magnitude_score() > layer.magnitude_threshold()) {
      for (const std::size_t j : Largest(sizes, top_k_)) {
        FillMoved(i, j, *layer.add_moved());
      }
    }
  }

  void FillMoved(std::size_t i, std::size_t j, v1::MovedNeuron& moved) const {
    const LayerCounts& counts = report_.window.layers[i];
    const LayerBaseline& was = baseline_->layers[i];
    const std::int64_t rows = report_.window.rows;
    moved.set_neuron(static_cast<std::int64_t>(j));
    moved.set_firing_rate(Share(static_cast<double>(counts.on[j]), rows));
    moved.set_baseline_firing_rate(was.rate[j]);
    moved.set_mean(Share(counts.sum[j], rows));
    moved.set_baseline_mean(was.mean[j]);
    const ActivationLayer& layer = model_.activations()[i];
    if (layer.weights == nullptr) {
      return;
    }
    std::vector<v1::Contribution> causes;
    const std::vector<double> weights = UnpackColumn(*layer.weights, j);
    std::size_t next = 0;  // Of the weights.
    for (const LayerSource& source : layer.sources) {
      for (std::size_t k = 0; k < source.count; ++k, ++next) {
        if (source.kind != LayerSource::Kind::kOther) {
          causes.push_back(CauseOf(source, source.first + k, weights[next]));
        }
      }
    }
    AddLargest(std::move(causes), *moved.mutable_causes());
  }

  void AddLargest(
      std::vector<v1::Contribution> causes,
      google::protobuf::RepeatedPtrField<v1::Contribution>& field) const {
    std::vector<double> sizes;
    for (const v1::Contribution& cause : causes) {
      sizes.push_back(std::abs(cause.contribution()));
    }
    for (const std::size_t k : Largest(sizes, top_k_)) {
      *field.Add() = std::move(causes[k]);
    }
  }

  v1::Contribution CauseOf(const LayerSource& source, std::size_t element,
                           double weight) const {
    v1::Contribution cause;
    cause.set_element(static_cast<std::int64_t>(element));
    cause.set_gradient(weight);
    if (source.kind == LayerSource::Kind::kLayer) {
      cause.set_input(model_.activations()[source.index].name);
      cause.set_value(Share(report_.window.layers[source.index].sum[element],
                            report_.window.rows));
      cause.set_baseline(baseline_->layers[source.index].mean[element]);
    } else {
      const InputBaseline& input = baseline_->inputs[source.index];
      cause.set_input(input.name);
      cause.set_baseline(input.mean[element]);
      cause.set_value(
          input.mean[element] +
          Share(report_.window.input_sum[FirstOf(source.index) + element],
                report_.window.rows));
    }
    cause.set_contribution(Finite(weight * (cause.value() - cause.baseline())));
    return cause;
  }

  // Of the neurons that have moved, as many of each layer as can be afforded.
  void FillOrigins(v1::GetActivityResponse& response) const {
    const std::size_t layers = model_.activations().size();
    const std::size_t work =
        std::max<std::size_t>(model_.multiply_adds() * layers, 1);
    const std::size_t most = std::max<std::size_t>(kMostMultiplyAdds / work, 1);
    std::vector<NeuronPlace> places;
    std::vector<v1::MovedNeuron*> moved;
    for (std::size_t i = 0; i < layers; ++i) {
      if (model_.activations()[i].weights == nullptr) {
        continue;
      }
      auto& field = *response.mutable_layers(static_cast<int>(i));
      for (std::size_t m = 0;
           m < std::min(most, static_cast<std::size_t>(field.moved_size()));
           ++m) {
        moved.push_back(field.mutable_moved(static_cast<int>(m)));
        places.push_back(
            {.layer = i,
             .neuron = static_cast<std::size_t>(moved.back()->neuron())});
      }
    }
    for (std::size_t first = 0; first < places.size();
         first += kOriginNeurons) {
      const auto some = std::span(places).subspan(
          first, std::min(kOriginNeurons, places.size() - first));
      const std::vector<NeuronOrigins> origins =
          FindOrigins(model_, *baseline_, report_.window, some);
      for (std::size_t t = 0; t < some.size(); ++t) {
        FillOrigin(origins[t], *moved[first + t]);
      }
    }
  }

  void FillOrigin(const NeuronOrigins& origins, v1::MovedNeuron& moved) const {
    moved.set_sum_shift(Finite(origins.sum_shift));
    moved.set_origin_remainder(Finite(origins.remainder));
    std::vector<v1::Contribution> causes;
    std::size_t next = 0;  // Of the elements of all inputs.
    for (std::size_t i = 0; i < baseline_->inputs.size(); ++i) {
      for (std::size_t k = 0; k < baseline_->inputs[i].mean.size(); ++k) {
        const double slope = origins.slopes[next++];
        if (slope != 0.0) {
          causes.push_back(CauseOf(
              {.kind = LayerSource::Kind::kInput, .index = i}, k, slope));
        }
      }
    }
    AddLargest(std::move(causes), *moved.mutable_origins());
  }

  // The first element of an input among those of all.
  std::size_t FirstOf(std::size_t input) const {
    std::size_t first = 0;
    for (std::size_t i = 0; i < input; ++i) {
      first += baseline_->inputs[i].mean.size();
    }
    return first;
  }

  void FillInputs(v1::GetActivityResponse& response) const {
    const ActivityCounts& counts = has_scores_ ? report_.window : report_.total;
    const std::vector<ElementShift> shifts =
        has_scores_ ? ElementShifts(*baseline_, counts)
                    : std::vector<ElementShift>();
    std::size_t next = 0;
    for (std::size_t i = 0; i < model_.inputs().size(); ++i) {
      const TensorSignature& signature = model_.inputs()[i];
      v1::InputActivity& input = *response.add_inputs();
      input.set_name(signature.name);
      const InputBaseline* const was =
          baseline_.has_value() ? &baseline_->inputs[i] : nullptr;
      if (was != nullptr) {
        input.mutable_features()->Add(was->features.begin(),
                                      was->features.end());
      }
      const std::size_t elements =
          signature.row_bytes / DataTypeSize(signature.type);
      for (std::size_t k = 0; k < elements; ++k, ++next) {
        const double mean = Share(counts.input_sum[next], counts.rows);
        input.add_mean((was == nullptr ? 0.0 : was->mean[k]) + mean);
        input.add_variance(std::max(
            0.0, Share(counts.input_squares[next], counts.rows) - mean * mean));
        if (was != nullptr) {
          input.add_baseline_mean(was->mean[k]);
          input.add_baseline_variance(was->variance[k]);
        }
        if (has_scores_) {
          input.add_mean_shift(shifts[next].mean);
          input.add_spread_shift(shifts[next].spread);
          input.add_score(shifts[next].score);
        }
      }
    }
  }

  const CompiledModel& model_;
  const std::optional<ActivityBaseline>& baseline_;
  const ActivityReport& report_;
  const std::size_t top_k_;
  const bool has_scores_;
};

absl::Status CheckEnabled(Model& model) {
  if (model.compiled().couples_rows()) {
    return absl::UnimplementedError(
        "the rows of the model depend on each other; activity is that of "
        "models whose rows stand for themselves");
  }
  if (!model.activity().enabled()) {
    return absl::FailedPreconditionError(
        "no rows are looked at: --activity-sample-every of the server, or the "
        "parameter activity_sample_every of the model's config.pbtxt, is 0");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status GetActivity(ModelRepository& repository,
                         const v1::GetActivityRequest& request,
                         v1::GetActivityResponse& response) {
  ASSIGN_OR_RETURN(
      const std::shared_ptr<Model> model,
      repository.Find(request.model_name(), request.model_version()));
  if (const absl::Status status = CheckEnabled(*model); !status.ok()) {
    return {status.code(),
            fmt::format("model \"{}\": {}", Printable(request.model_name()),
                        std::string(status.message()))};
  }
  const ActivityReport report = model->activity().Read();
  response.set_model_name(model->name());
  response.set_model_version(std::to_string(model->version()));
  ActivityAnswer(model->activity(), report,
                 request.top_k() == 0 ? kDefaultTopK : request.top_k())
      .Fill(response);
  return absl::OkStatus();
}

}  // namespace relu
