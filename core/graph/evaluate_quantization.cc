#include "core/graph/evaluate_quantization.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

// Scales and zero points, by place of the axis; one for all if it is one.
struct Scaling {
  std::vector<double> scales;
  std::vector<double> zeros;
  AxisView view;

  // Which of them element `i` has.
  std::size_t PlaceOf(std::size_t i) const {
    return scales.size() == 1 ? 0 : i / view.inner % view.size;
  }
};

Scaling ReadScaling(const Evaluation& run) {
  Scaling scaling;
  scaling.scales = ToDoubles(run.input(1));
  scaling.zeros = run.has_input(2) ? ToDoubles(run.input(2))
                                   : std::vector<double>(scaling.scales.size());
  if (scaling.scales.size() != 1) {
    scaling.view =
        ViewFromAxis(run.input(0).shape(), IntAttribute(run.node, "axis"));
  }
  return scaling;
}

// The quotient as the type of the operands has it: in float32, unless one of
// them is FP64. It decides to which side a near half goes.
double DivideByScale(double x, double scale, bool is_double) {
  return is_double ? x / scale
                   : static_cast<double>(static_cast<float>(x) /
                                         static_cast<float>(scale));
}

}  // namespace

double Quantize(double ratio, double zero_point) {
  return std::nearbyint(ratio) + zero_point;
}

absl::Status EvaluateQuantizeLinear(const Evaluation& run) {
  const Scaling scaling = ReadScaling(run);
  const bool is_double = run.input(0).type() == DataType::kFp64;
  std::vector<double> values = ToDoubles(run.input(0));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t place = scaling.PlaceOf(i);
    values[i] =
        Quantize(DivideByScale(values[i], scaling.scales[place], is_double),
                 scaling.zeros[place]);
  }
  run.Set(Store(run.results[0], values));
  return absl::OkStatus();
}

absl::Status EvaluateDequantizeLinear(const Evaluation& run) {
  const Scaling scaling = ReadScaling(run);
  std::vector<double> values = ToDoubles(run.input(0));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t place = scaling.PlaceOf(i);
    values[i] = (values[i] - scaling.zeros[place]) * scaling.scales[place];
  }
  run.Set(Store(run.results[0], values));
  return absl::OkStatus();
}

absl::Status EvaluateDynamicQuantizeLinear(const Evaluation& run) {
  constexpr float kSteps = 255;
  std::vector<double> values = ToDoubles(run.input(0));
  float low = 0;
  float high = 0;
  for (const double value : values) {
    low = std::min(low, static_cast<float>(value));
    high = std::max(high, static_cast<float>(value));
  }
  // All zeros: any scale will do, but none of zero.
  const float scale = high == low ? 1.0F : (high - low) / kSteps;
  const double zero = std::clamp<double>(
      std::nearbyint(static_cast<double>(-low / scale)), 0, 255);
  for (double& value : values) {
    value =
        Quantize(DivideByScale(value, static_cast<double>(scale), false), zero);
  }
  run.outputs[0] = FromDoubles(DataType::kUint8, run.shape(), values);
  run.outputs[1] = FromDoubles(DataType::kFp32, {},
                               std::vector<double>{static_cast<double>(scale)});
  run.outputs[2] = FromDoubles(DataType::kUint8, {}, std::vector<double>{zero});
  return absl::OkStatus();
}

}  // namespace relu
