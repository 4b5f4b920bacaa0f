#include "core/metrics/activity_families.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"
#include "prometheus/metric_type.h"

#include "core/metrics/activity_figures.h"
#include "core/metrics/model_families.h"

namespace relu {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Models = std::span<const LabelledFigures>;

ClientMetric ActivityOf(const LabelledFigures& model) {
  ClientMetric metric;
  metric.label = {{"model", model.model}, {"version", model.version}};
  return metric;
}

// `read` makes a number of ActivityFigures.
template <typename Read>
MetricFamily Count(const char* name, const char* help, Models models,
                   const Read& read) {
  MetricFamily family{name, help, MetricType::Counter, {}};
  for (const LabelledFigures& model : models) {
    if (model.figures.activity.enabled) {
      family.metric.push_back(ActivityOf(model));
      family.metric.back().counter.value =
          static_cast<double>(read(model.figures.activity));
    }
  }
  return family;
}

MetricFamily InputDrift(const char* name, const char* help, Models models,
                        double ActivityFigures::*field) {
  MetricFamily family{name, help, MetricType::Gauge, {}};
  for (const LabelledFigures& model : models) {
    if (model.figures.activity.has_baseline) {
      family.metric.push_back(ActivityOf(model));
      family.metric.back().gauge.value = model.figures.activity.*field;
    }
  }
  return family;
}

// `read` makes a number of LayerFigures.
template <typename Read>
MetricFamily OfLayers(const char* name, const char* help, Models models,
                      const Read& read) {
  MetricFamily family{name, help, MetricType::Gauge, {}};
  for (const LabelledFigures& model : models) {
    for (const LayerFigures& layer : model.figures.activity.layers) {
      family.metric.push_back(ActivityOf(model));
      family.metric.back().label.push_back({"layer", layer.layer});
      family.metric.back().gauge.value = static_cast<double>(read(layer));
    }
  }
  return family;
}

MetricFamily LayerDrift(const char* name, const char* help, Models models,
                        double LayerFigures::*firing,
                        double LayerFigures::*magnitude) {
  MetricFamily family{name, help, MetricType::Gauge, {}};
  for (const LabelledFigures& model : models) {
    if (!model.figures.activity.has_baseline) {
      continue;
    }
    for (const LayerFigures& layer : model.figures.activity.layers) {
      for (const auto& [monitor, field] :
           {std::pair("firing", firing), std::pair("magnitude", magnitude)}) {
        family.metric.push_back(ActivityOf(model));
        family.metric.back().label.push_back({"layer", layer.layer});
        family.metric.back().label.push_back({"monitor", monitor});
        family.metric.back().gauge.value = layer.*field;
      }
    }
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> ActivityFamilies(Models models) {
  using Figures = ActivityFigures;
  using Layer = LayerFigures;
  std::vector<MetricFamily> families = {
      Count("relu_activity_sampled_rows_total",
            "Rows whose neurons were looked at.", models,
            [](const Figures& figures) { return figures.sampled_rows; }),
      Count("relu_activity_nonfinite_rows_total",
            "Of these, rows with an input that is infinite or NaN.", models,
            [](const Figures& figures) { return figures.nonfinite_rows; }),
      Count("relu_activity_skipped_rows_total",
            "Rows that were to be looked at and were not, under load.", models,
            [](const Figures& figures) { return figures.skipped_rows; }),
      Count("relu_activity_windows_total",
            "Windows of such rows that were completed.", models,
            [](const Figures& figures) { return figures.windows; }),
      Count("relu_activity_drifted_windows_total",
            "Of these, windows with a score beyond its threshold: without "
            "drift the false-alarm rate of the calibration.",
            models,
            [](const Figures& figures) { return figures.drifted_windows; }),
      InputDrift("relu_activity_input_drift_score",
                 "How far the inputs of the last window are from calibration.",
                 models, &Figures::input_score),
      InputDrift("relu_activity_input_drift_threshold",
                 "Beyond this the inputs have drifted.", models,
                 &Figures::input_threshold),
      OfLayers("relu_activity_sparsity",
               "Part of the layer's activations that is off.", models,
               [](const Layer& layer) { return layer.sparsity; }),
      OfLayers("relu_activity_dead_neurons",
               "Neurons that were never on since the model was loaded.", models,
               [](const Layer& layer) { return layer.dead_neurons; }),
      OfLayers("relu_activity_always_on_neurons", "Neurons that always were.",
               models,
               [](const Layer& layer) { return layer.always_on_neurons; }),
      OfLayers("relu_activity_saturated_neurons",
               "Neurons that always were at their upper bound.", models,
               [](const Layer& layer) { return layer.saturated_neurons; }),
      OfLayers("relu_activity_largest",
               "Largest activation since the model was loaded.", models,
               [](const Layer& layer) { return layer.largest; }),
      LayerDrift("relu_activity_drift_score",
                 "How far the neurons of the last window are from calibration: "
                 "how often they are on (firing), what they are in the mean "
                 "(magnitude). About 1 without drift.",
                 models, &Layer::firing_score, &Layer::magnitude_score),
      LayerDrift("relu_activity_drift_threshold",
                 "Beyond this the layer has drifted.", models,
                 &Layer::firing_threshold, &Layer::magnitude_threshold)};
  std::erase_if(families, [](const MetricFamily& family) {
    return family.metric.empty();
  });
  return families;
}

}  // namespace relu
