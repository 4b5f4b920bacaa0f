// What /metrics says of the checks of requests and answers: the figures of
// GuaranteeMetrics as families of the Prometheus data model.

#ifndef CORE_METRICS_GUARANTEE_FAMILIES_H_
#define CORE_METRICS_GUARANTEE_FAMILIES_H_

#include <span>
#include <vector>

#include "prometheus/metric_family.h"

#include "core/metrics/model_families.h"

namespace relu {

// Labels model and version. Families of domains and of certificates are only of
// models that have them.
std::vector<prometheus::MetricFamily> GuaranteeFamilies(
    std::span<const LabelledFigures> models);

}  // namespace relu

#endif  // CORE_METRICS_GUARANTEE_FAMILIES_H_
