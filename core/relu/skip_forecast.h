// What skipping zeros saves, on given rows.

#ifndef CORE_RELU_SKIP_FORECAST_H_
#define CORE_RELU_SKIP_FORECAST_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "core/plan/plan_report.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"

namespace relu {

// Of one fully connected layer, for rows that come alone.
struct SkipForecast {
  std::size_t op = 0;  // Of PiecewiseNetwork::ops.
  double zeros = 0.0;  // The part of the inputs that is 0.
  // The part that must be 0 for the plan to skip it; nullopt: it never does.
  std::optional<double> break_even;
  double skipping_rows = 0.0;  // The part of the rows that has so many.
  // What a row takes without skipping, and what it is expected to take, as the
  // plan has measured on this machine; 0 if it has not.
  double dense_ns = 0.0;
  double expected_ns = 0.0;
};

// Of every layer, in order. `plan` is that of the graph of the network.
// INVALID_ARGUMENT if an index is outside of its table.
absl::StatusOr<std::vector<SkipForecast>> ForecastZeroSkip(
    const PiecewiseNetwork& network, const InputRows& rows,
    const PlanReport& plan);

}  // namespace relu

#endif  // CORE_RELU_SKIP_FORECAST_H_
