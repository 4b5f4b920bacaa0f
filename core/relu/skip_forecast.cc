#include "core/relu/skip_forecast.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

#include "core/base/aligned_buffer.h"
#include "core/base/status_macros.h"
#include "core/kernels/kernels.h"
#include "core/plan/plan_report.h"
#include "core/plan/zero_skip.h"
#include "core/relu/dense_op.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"

namespace relu {
namespace {

// nullptr: the plan has another layer there.
const StepReport* StepOf(const DenseOp& op, const PlanReport& plan) {
  const auto multiply_adds =
      static_cast<std::int64_t>(op.forward.k * op.forward.n * op.vectors);
  const auto found =
      std::ranges::find_if(plan.steps, [&](const StepReport& step) {
        return step.multiply_adds == multiply_adds &&
               std::ranges::find(step.nodes, op.node) != step.nodes.end();
      });
  return found == plan.steps.end() ? nullptr : &*found;
}

// One layer, and the step that computes it.
struct Watched {
  const DenseOp* op;
  const StepReport* step;
};

void Count(const Watched& layer, const float* row, SkipForecast& forecast) {
  const std::size_t k = layer.op->forward.k;
  std::size_t entries = 0;
  for (std::size_t i = 0; i < layer.op->vectors; ++i) {
    entries += kernels::CountNonZeros(k, row + layer.op->input.offset + i * k);
  }
  const auto inputs = static_cast<double>(layer.op->input.size);
  forecast.zeros += 1.0 - static_cast<double>(entries) / inputs;
  if (layer.step == nullptr) {
    return;
  }
  const DenseCosts& costs = layer.step->costs;
  const bool skips = entries <= layer.step->zero_skip_entries &&
                     layer.step->zero_skip_entries > 0;
  // In vain if it does not skip then.
  const double counting =
      layer.step->zero_skip_entries > 0 ? costs.count_row : 0.0;
  forecast.skipping_rows += skips ? 1.0 : 0.0;
  forecast.dense_ns += costs.dense[0];
  forecast.expected_ns +=
      skips ? SparseCost(costs, k, entries) : costs.dense[0] + counting;
}

}  // namespace

absl::StatusOr<std::vector<SkipForecast>> ForecastZeroSkip(
    const PiecewiseNetwork& network, const InputRows& rows,
    const PlanReport& plan) {
  std::vector<SkipForecast> forecasts;
  std::vector<Watched> layers;
  for (std::size_t i = 0; i < network.ops.size(); ++i) {
    if (const auto* const op = std::get_if<DenseOp>(&network.ops[i])) {
      const StepReport* const step = StepOf(*op, plan);
      layers.push_back({.op = op, .step = step});
      SkipForecast& forecast = forecasts.emplace_back();
      forecast.op = i;
      if (step != nullptr && step->zero_skip_entries > 0) {
        forecast.break_even =
            1.0 - static_cast<double>(step->zero_skip_entries) /
                      static_cast<double>(op->forward.k);
      }
    }
  }
  AlignedBuffer memory(network.row_floats * sizeof(float));
  float* const row = memory.As<float>().data();
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const auto first = static_cast<std::size_t>(i) * network.input_elements;
    RETURN_IF_ERROR(FillLeaves(
        network,
        std::span(rows.elements).subspan(first, network.input_elements), row));
    RunForward(network, 1, row);
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      Count(layers[layer], row, forecasts[layer]);
    }
  }
  const auto count = static_cast<double>(std::max<std::int64_t>(rows.rows, 1));
  for (SkipForecast& forecast : forecasts) {
    forecast.zeros /= count;
    forecast.skipping_rows /= count;
    forecast.dense_ns /= count;
    forecast.expected_ns /= count;
  }
  return forecasts;
}

}  // namespace relu
