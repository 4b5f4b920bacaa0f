// Figures out of a page of metrics in Prometheus' text format.

#ifndef CLIENT_CLI_METRICS_TEXT_H_
#define CLIENT_CLI_METRICS_TEXT_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace relu {

// A model's name and version.
using ModelKey = std::pair<std::string, std::string>;

// How many values were at most each bound, as a histogram of Prometheus has it:
// bounds (infinity last) and counts.
using CumulativeCounts = std::map<double, double>;

// The histogram `name` of each model: its labels "model" and "version". Lines
// that are none of it, or cannot be read, are left out.
std::map<ModelKey, CumulativeCounts> ReadHistograms(std::string_view page,
                                                    std::string_view name);

// The same of a gauge or counter.
std::map<ModelKey, double> ReadValues(std::string_view page,
                                      std::string_view name);

// The value that `percent` of those counted between `before` and `after` do not
// exceed: interpolated within its bucket, as histogram_quantile() does. nullopt
// if nothing was counted.
std::optional<double> PercentileBetween(const CumulativeCounts& before,
                                        const CumulativeCounts& after,
                                        double percent);

}  // namespace relu

#endif  // CLIENT_CLI_METRICS_TEXT_H_
