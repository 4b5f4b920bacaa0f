// What /metrics says of each model: its figures as families of the Prometheus
// data model.

#ifndef CORE_METRICS_MODEL_FAMILIES_H_
#define CORE_METRICS_MODEL_FAMILIES_H_

#include <span>
#include <string>
#include <vector>

#include "prometheus/metric_family.h"

#include "core/metrics/model_metrics.h"

namespace relu {

// The figures of one version of a model.
struct LabelledFigures {
  std::string model;
  std::string version;
  ModelFigures figures;
};

// Our own names; labels model and version. `without_model`: the requests and
// rejects that reached none.
std::vector<prometheus::MetricFamily> ModelFamilies(
    std::span<const LabelledFigures> models, const ModelFigures& without_model);

// Triton's names for the same, so that dashboards made for it show something.
std::vector<prometheus::MetricFamily> TritonFamilies(
    std::span<const LabelledFigures> models);

}  // namespace relu

#endif  // CORE_METRICS_MODEL_FAMILIES_H_
