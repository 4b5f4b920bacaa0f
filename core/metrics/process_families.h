// What /metrics says of the process, its memory allocator included.

#ifndef CORE_METRICS_PROCESS_FAMILIES_H_
#define CORE_METRICS_PROCESS_FAMILIES_H_

#include <vector>

#include "prometheus/metric_family.h"

namespace relu {

// As it is now. The process_* names are those that every Prometheus client
// library uses. What the system does not say is 0.
std::vector<prometheus::MetricFamily> ProcessFamilies();

}  // namespace relu

#endif  // CORE_METRICS_PROCESS_FAMILIES_H_
