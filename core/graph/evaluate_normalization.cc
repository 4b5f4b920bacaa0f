#include "core/graph/evaluate_normalization.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

// `size` values, `stride` apart. The greatest is taken off first, so that no
// exponential overflows.
void SoftmaxLine(double* values, const AxisView& view, bool is_log) {
  double greatest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < view.size; ++i) {
    greatest = std::max(greatest, values[i * view.inner]);
  }
  double sum = 0;
  for (std::size_t i = 0; i < view.size; ++i) {
    values[i * view.inner] -= greatest;
    sum += std::exp(values[i * view.inner]);
  }
  const double log_sum = std::log(sum);
  for (std::size_t i = 0; i < view.size; ++i) {
    double& value = values[i * view.inner];
    value = is_log ? value - log_sum : std::exp(value) / sum;
  }
}

struct Statistics {
  double mean = 0;
  double inverse_deviation = 0;
};

Statistics StatisticsOf(const double* values, std::size_t size,
                        double epsilon) {
  const auto count = static_cast<double>(size);
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    sum += values[i];
  }
  const double mean = sum / count;
  double squares = 0;
  for (std::size_t i = 0; i < size; ++i) {
    squares += (values[i] - mean) * (values[i] - mean);
  }
  return {.mean = mean,
          .inverse_deviation = 1 / std::sqrt(squares / count + epsilon)};
}

}  // namespace

absl::Status EvaluateBatchNormalization(const Evaluation& run) {
  const Shape& shape = run.shape();
  // Which parameter an element has: that of its channel, or of its place in a
  // row.
  AxisView view =
      ViewFromAxis(shape, std::min<std::int64_t>(1, std::ssize(shape) - 1));
  if (shape.size() == 1) {
    view.size = 1;
  } else if (IntAttribute(run.node, "spatial") == 0) {
    view = {.outer = view.outer, .size = view.size * view.inner, .inner = 1};
  }
  const std::vector<double> scale = ToDoubles(run.input(1));
  const std::vector<double> bias = ToDoubles(run.input(2));
  const std::vector<double> mean = ToDoubles(run.input(3));
  const std::vector<double> variance = ToDoubles(run.input(4));
  const auto epsilon = static_cast<double>(FloatAttribute(run.node, "epsilon"));
  std::vector<double> values = ToDoubles(run.input(0));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t place = i / view.inner % view.size;
    values[i] = (values[i] - mean[place]) /
                    std::sqrt(variance[place] + epsilon) * scale[place] +
                bias[place];
  }
  run.Set(Store(run.results[0], values));
  return absl::OkStatus();
}

absl::Status EvaluateLayerNormalization(const Evaluation& run) {
  AxisView view = ViewFromAxis(run.shape(), IntAttribute(run.node, "axis"));
  view.size *= view.inner;
  const auto epsilon = static_cast<double>(FloatAttribute(run.node, "epsilon"));
  const std::vector<double> scale =
      LoadBroadcast<double>(run.input(1), run.shape());
  const std::vector<double> bias =
      run.has_input(2) ? LoadBroadcast<double>(run.input(2), run.shape())
                       : std::vector<double>(scale.size());
  std::vector<double> values = ToDoubles(run.input(0));
  std::vector<double> means(view.outer);
  std::vector<double> inverse_deviations(view.outer);
  for (std::size_t i = 0; i < view.outer; ++i) {
    const Statistics statistics =
        StatisticsOf(values.data() + i * view.size, view.size, epsilon);
    means[i] = statistics.mean;
    inverse_deviations[i] = statistics.inverse_deviation;
    for (std::size_t j = i * view.size; j < (i + 1) * view.size; ++j) {
      values[j] = (values[j] - statistics.mean) * statistics.inverse_deviation *
                      scale[j] +
                  bias[j];
    }
  }
  run.outputs[0] = Store(run.results[0], values);
  run.outputs[1] = Store(run.results[1], means);
  run.outputs[2] = Store(run.results[2], inverse_deviations);
  return absl::OkStatus();
}

absl::Status EvaluateSoftmax(const Evaluation& run) {
  AxisView view =
      ViewFromAxis(run.input(0).shape(), IntAttribute(run.node, "axis"));
  if (IntAttribute(run.node, "flatten") != 0) {
    view = {.outer = view.outer, .size = view.size * view.inner, .inner = 1};
  }
  std::vector<double> values = ToDoubles(run.input(0));
  for (std::size_t i = 0; i < view.lines(); ++i) {
    SoftmaxLine(values.data() + view.LineBegin(i), view,
                run.node.op == Operator::kLogSoftmax);
  }
  run.Set(Store(run.results[0], values));
  return absl::OkStatus();
}

}  // namespace relu
