#include "core/relu/activity_baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

using NamedNumbers = std::pair<std::string_view, const std::vector<double>*>;

// One number of 0 or more for each of `size`; `mean` may be negative.
absl::Status CheckNumbers(std::string_view what, std::string_view name,
                          std::span<const NamedNumbers> fields,
                          std::size_t size) {
  for (const auto& [field, numbers] : fields) {
    if (numbers->size() != size) {
      return absl::InvalidArgumentError(
          fmt::format("{} \"{}\": {} has {} numbers, the model has {}", what,
                      name, field, numbers->size(), size));
    }
    for (const double number : *numbers) {
      if (!std::isfinite(number) || (number < 0.0 && field != "mean")) {
        return absl::InvalidArgumentError(fmt::format(
            "{} \"{}\": {} has {}, wanted are finite numbers{}", what, name,
            field, number, field == "mean" ? "" : " of 0 or more"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLayer(const LayerBaseline& layer,
                        const ActivationLayer& wanted) {
  if (layer.name != wanted.name) {
    return absl::InvalidArgumentError(
        fmt::format("layer \"{}\" stands where the model has \"{}\"",
                    layer.name, wanted.name));
  }
  const std::vector<double> thresholds = {layer.firing_threshold,
                                          layer.magnitude_threshold};
  RETURN_IF_ERROR(
      CheckNumbers("layer", layer.name,
                   std::vector<NamedNumbers>{{"firing_rate", &layer.rate},
                                             {"mean", &layer.mean},
                                             {"variance", &layer.variance}},
                   wanted.neurons));
  RETURN_IF_ERROR(CheckNumbers(
      "layer", layer.name,
      std::vector<NamedNumbers>{{"the thresholds", &thresholds}}, 2));
  if (std::ranges::any_of(layer.rate, [](double p) { return p > 1.0; })) {
    return absl::InvalidArgumentError(
        fmt::format("layer \"{}\": a firing_rate is above 1", layer.name));
  }
  return absl::OkStatus();
}

absl::Status CheckInput(const InputBaseline& input,
                        const TensorSignature& wanted) {
  if (input.name != wanted.name) {
    return absl::InvalidArgumentError(
        fmt::format("input \"{}\" stands where the model has \"{}\"",
                    input.name, wanted.name));
  }
  const std::size_t elements = wanted.row_bytes / DataTypeSize(wanted.type);
  if (!input.features.empty() && input.features.size() != elements) {
    return absl::InvalidArgumentError(fmt::format(
        "input \"{}\": features has {} names, the model has {} elements",
        input.name, input.features.size(), elements));
  }
  for (const std::vector<double>* const limits :
       {&input.mean_limit, &input.spread_limit}) {
    if (std::ranges::any_of(*limits, [](double limit) { return limit <= 0; })) {
      return absl::InvalidArgumentError(
          fmt::format("input \"{}\": a limit is not above 0", input.name));
    }
  }
  return CheckNumbers(
      "input", input.name,
      std::vector<NamedNumbers>{{"mean", &input.mean},
                                {"variance", &input.variance},
                                {"spread_variance", &input.spread_variance},
                                {"mean_limit", &input.mean_limit},
                                {"spread_limit", &input.spread_limit}},
      elements);
}

absl::Status CheckCount(std::string_view what, std::size_t found,
                        std::size_t wanted) {
  return found == wanted ? absl::OkStatus()
                         : absl::InvalidArgumentError(fmt::format(
                               "{} {}, the model has {}", found, what, wanted));
}

}  // namespace

absl::Status CheckBaseline(const ActivityBaseline& baseline,
                           const CompiledModel& model) {
  if (baseline.rows < 1 || baseline.window_rows < 1) {
    return absl::InvalidArgumentError(
        fmt::format("{} rows and windows of {} rows, wanted is 1 or more",
                    baseline.rows, baseline.window_rows));
  }
  if (!(baseline.false_alarm_rate > 0.0 && baseline.false_alarm_rate < 1.0)) {
    return absl::InvalidArgumentError(
        fmt::format("false_alarm_rate is {}, wanted is a part between 0 and 1",
                    baseline.false_alarm_rate));
  }
  if (!std::isfinite(baseline.input_threshold) ||
      baseline.input_threshold < 0.0) {
    return absl::InvalidArgumentError(
        fmt::format("input_threshold is {}, wanted is 0 or more",
                    baseline.input_threshold));
  }
  const auto activations = model.activations();
  const auto inputs = model.inputs();
  RETURN_IF_ERROR(
      CheckCount("layers", baseline.layers.size(), activations.size()));
  RETURN_IF_ERROR(CheckCount("inputs", baseline.inputs.size(), inputs.size()));
  for (std::size_t i = 0; i < activations.size(); ++i) {
    RETURN_IF_ERROR(CheckLayer(baseline.layers[i], activations[i]));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    RETURN_IF_ERROR(CheckInput(baseline.inputs[i], inputs[i]));
  }
  return absl::OkStatus();
}

}  // namespace relu
