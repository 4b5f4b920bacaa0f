// What /metrics says of the activity of each model's neurons.

#ifndef CORE_METRICS_ACTIVITY_FAMILIES_H_
#define CORE_METRICS_ACTIVITY_FAMILIES_H_

#include <span>
#include <vector>

#include "prometheus/metric_family.h"

#include "core/metrics/model_families.h"

namespace relu {

// Labels model and version, and for nine series each layer; a neuron is never a
// label.
std::vector<prometheus::MetricFamily> ActivityFamilies(
    std::span<const LabelledFigures> models);

}  // namespace relu

#endif  // CORE_METRICS_ACTIVITY_FAMILIES_H_
