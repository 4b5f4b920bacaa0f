#include "core/relu/activity_origins.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "core/plan/activation_layers.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"
#include "core/relu/packed_product.h"

namespace relu {
namespace {

// The part of its sum's shift that a neuron has passed on.
double PassedOn(double shift, double sum_shift) {
  const double part = shift / sum_shift;
  return std::isnan(part) ? 0.0 : std::clamp(part, 0.0, 1.0);
}

// Goes through the layers from the last to the first, for all neurons at once:
// each weight is unpacked once.
class OriginSweep {
 public:
  OriginSweep(const CompiledModel& model, const ActivityBaseline& baseline,
              const ActivityCounts& window,
              std::span<const NeuronPlace> neurons)
      : layers_(model.activations()), neurons_(neurons) {
    const auto rows = static_cast<double>(window.rows);
    for (std::size_t m = 0; m < layers_.size(); ++m) {
      std::vector<double>& shifts = layer_shifts_.emplace_back();
      for (std::size_t k = 0; k < layers_[m].neurons; ++k) {
        shifts.push_back(window.layers[m].sum[k] / rows -
                         baseline.layers[m].mean[k]);
      }
      layer_slopes_.emplace_back(neurons.size() * layers_[m].neurons);
    }
    for (const InputBaseline& input : baseline.inputs) {
      input_firsts_.push_back(input_elements_);
      input_elements_ += input.mean.size();
    }
    for (std::size_t i = 0; i < input_elements_; ++i) {
      input_shifts_.push_back(window.input_sum[i] / rows);
    }
  }

  std::vector<NeuronOrigins> Run() {
    origins_.resize(neurons_.size());
    for (NeuronOrigins& origins : origins_) {
      origins.slopes.resize(input_elements_);
    }
    for (std::size_t m = layers_.size(); m-- > 0;) {
      if (layers_[m].weights != nullptr) {
        for (std::size_t k = 0; k < layers_[m].neurons; ++k) {
          PassBack(m, k);
        }
      }
    }
    for (NeuronOrigins& origins : origins_) {
      origins.remainder =
          origins.sum_shift - std::inner_product(origins.slopes.begin(),
                                                 origins.slopes.end(),
                                                 input_shifts_.begin(), 0.0);
    }
    return std::move(origins_);
  }

 private:
  bool IsAt(std::size_t t, std::size_t m, std::size_t k) const {
    return neurons_[t].layer == m && neurons_[t].neuron == k;
  }

  // Of neuron `k` of layer `m`, for all of neurons_.
  void PassBack(std::size_t m, std::size_t k) {
    const std::size_t size = layers_[m].neurons;
    std::vector<double> slopes(neurons_.size());
    bool needed = false;
    for (std::size_t t = 0; t < slopes.size(); ++t) {
      slopes[t] = layer_slopes_[m][t * size + k];
      needed = needed || slopes[t] != 0.0 || IsAt(t, m, k);
    }
    if (!needed) {
      return;
    }
    const std::vector<double> weights = UnpackColumn(*layers_[m].weights, k);
    const double sum_shift = SumShift(m, weights);
    const double part = PassedOn(layer_shifts_[m][k], sum_shift);
    for (std::size_t t = 0; t < slopes.size(); ++t) {
      slopes[t] *= part;
      if (IsAt(t, m, k)) {
        slopes[t] = 1.0;
        origins_[t].sum_shift = sum_shift;
      }
      if (slopes[t] != 0.0) {
        AddToSources(m, weights, t, slopes[t]);
      }
    }
  }

  double SumShift(std::size_t m, const std::vector<double>& weights) const {
    double shift = 0.0;
    auto weight = weights.begin();
    for (const LayerSource& source : layers_[m].sources) {
      if (const double* const shifts = ShiftsOf(source); shifts != nullptr) {
        shift =
            std::inner_product(shifts, shifts + source.count, weight, shift);
      }
      weight += static_cast<std::ptrdiff_t>(source.count);
    }
    return shift;
  }

  // nullptr: they are not known.
  const double* ShiftsOf(const LayerSource& source) const {
    switch (source.kind) {
      case LayerSource::Kind::kInput:
        return &input_shifts_[input_firsts_[source.index] + source.first];
      case LayerSource::Kind::kLayer:
        return &layer_shifts_[source.index][source.first];
      case LayerSource::Kind::kOther:
        break;
    }
    return nullptr;
  }

  // What layer `m` reads moves the sum of neurons_[t] by so much more.
  void AddToSources(std::size_t m, const std::vector<double>& weights,
                    std::size_t t, double slope) {
    const double* weight = weights.data();
    for (const LayerSource& source : layers_[m].sources) {
      if (double* const slopes = SlopesOf(source, t); slopes != nullptr) {
        for (std::size_t i = 0; i < source.count; ++i) {
          slopes[i] += slope * weight[i];
        }
      }
      weight += source.count;
    }
  }

  double* SlopesOf(const LayerSource& source, std::size_t t) {
    switch (source.kind) {
      case LayerSource::Kind::kInput:
        return &origins_[t].slopes[input_firsts_[source.index] + source.first];
      case LayerSource::Kind::kLayer:
        return &layer_slopes_[source.index]
                             [t * layers_[source.index].neurons + source.first];
      case LayerSource::Kind::kOther:
        break;
    }
    return nullptr;
  }

  const std::span<const ActivationLayer> layers_;
  const std::span<const NeuronPlace> neurons_;
  std::vector<std::vector<double>> layer_shifts_;  // By layer and neuron.
  // By layer: what the sums of neurons_ move by where the layer's neurons move
  // by 1, row-major.
  std::vector<std::vector<double>> layer_slopes_;
  std::vector<double> input_shifts_;       // By element of all inputs.
  std::vector<std::size_t> input_firsts_;  // Of them, by input.
  std::size_t input_elements_ = 0;
  std::vector<NeuronOrigins> origins_;
};

}  // namespace

std::vector<NeuronOrigins> FindOrigins(const CompiledModel& model,
                                       const ActivityBaseline& baseline,
                                       const ActivityCounts& window,
                                       std::span<const NeuronPlace> neurons) {
  return OriginSweep(model, baseline, window, neurons).Run();
}

}  // namespace relu
