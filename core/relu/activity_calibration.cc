#include "core/relu/activity_calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"
#include "core/relu/activity_drift.h"
#include "core/relu/drift_thresholds.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// Windows that are drawn for limits, and for thresholds: 20 of them are beyond
// a threshold of 1 %.
constexpr std::size_t kWindows = 2000;
constexpr std::size_t kMostBytes = std::size_t{2} << 30;
// The least limit of an element: the largest of so many squares of normal
// numbers.
constexpr double kLeastLimit = 12.0;

// What every row does: rows by columns, floats.
struct Recording {
  std::size_t rows = 0;
  std::size_t neurons = 0;      // Of all layers.
  std::size_t elements = 0;     // Of all inputs.
  std::vector<float> on_above;  // By neuron.
  std::vector<float> values;    // [rows, neurons]
  std::vector<float> inputs;    // [rows, elements]: less their mean.
  std::vector<double> input_mean;
};

// Sums over some of the rows: of what neurons do (is on, value, its square), of
// what inputs are (deviation, its square, its fourth power).
struct Sums {
  explicit Sums(const Recording& recording)
      : on(recording.neurons),
        value(recording.neurons),
        value_squares(recording.neurons),
        deviation(recording.elements),
        deviation_squares(recording.elements),
        fourth_powers(recording.elements) {}

  void Clear() {
    rows = 0;
    for (std::vector<double>* const sums :
         {&on, &value, &value_squares, &deviation, &deviation_squares,
          &fourth_powers}) {
      std::ranges::fill(*sums, 0.0);
    }
  }

  void AddRow(const Recording& recording, std::size_t row) {
    ++rows;
    const float* const values =
        recording.values.data() + row * recording.neurons;
    for (std::size_t j = 0; j < recording.neurons; ++j) {
      const double number = values[j];
      on[j] += values[j] > recording.on_above[j] ? 1.0 : 0.0;
      value[j] += number;
      value_squares[j] += number * number;
    }
    const float* const inputs =
        recording.inputs.data() + row * recording.elements;
    for (std::size_t i = 0; i < recording.elements; ++i) {
      const double number = inputs[i];
      const double square = number * number;
      deviation[i] += number;
      deviation_squares[i] += square;
      fourth_powers[i] += square * square;
    }
  }

  std::size_t rows = 0;
  std::vector<double> on, value, value_squares;
  std::vector<double> deviation, deviation_squares, fourth_powers;
};

// --- What every row does ---

absl::Status CheckRows(const CompiledModel& model,
                       std::span<const Tensor> inputs,
                       const CalibrationOptions& options) {
  if (model.couples_rows()) {
    return absl::UnimplementedError(
        "the rows of the model depend on each other; activity is that of "
        "models whose rows stand for themselves");
  }
  if (!(options.false_alarm_rate >= 0.001 && options.false_alarm_rate <= 0.5)) {
    return absl::InvalidArgumentError(
        fmt::format("the false-alarm rate is {}, wanted is 0.001 to 0.5",
                    options.false_alarm_rate));
  }
  if (options.window_rows < 16) {
    return absl::InvalidArgumentError(fmt::format(
        "a window of {} rows, wanted is 16 or more", options.window_rows));
  }
  const std::int64_t rows = inputs[0].shape()[0];
  if (rows < 2 * options.window_rows) {
    return absl::InvalidArgumentError(fmt::format(
        "{} rows, wanted are two windows of {} rows or more; four times as "
        "many are better",
        rows, options.window_rows));
  }
  return absl::OkStatus();
}

absl::Status ReadInputs(const CompiledModel& model,
                        std::span<const Tensor> inputs, Recording& recording) {
  std::vector<double> row(recording.elements);
  recording.input_mean.resize(recording.elements);
  // Twice: deviations are from the mean, which is known after the first.
  for (const bool counts : {true, false}) {
    for (std::size_t r = 0; r < recording.rows; ++r) {
      std::size_t first = 0;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const TensorSignature& input = model.inputs()[i];
        const std::size_t size = input.row_bytes / DataTypeSize(input.type);
        ReadElements(input, inputs[i].bytes().data() + r * input.row_bytes,
                     std::span(row).subspan(first, size));
        first += size;
      }
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (!std::isfinite(row[i])) {
          return absl::InvalidArgumentError(fmt::format(
              "row {}: an input is {}, wanted are finite numbers", r, row[i]));
        }
        if (counts) {
          recording.input_mean[i] +=
              row[i] / static_cast<double>(recording.rows);
        } else {
          recording.inputs[r * recording.elements + i] =
              static_cast<float>(row[i] - recording.input_mean[i]);
        }
      }
    }
  }
  return absl::OkStatus();
}

absl::Status RunRows(const CompiledModel& model, std::span<const Tensor> inputs,
                     Recording& recording) {
  Workspace workspace(model, 1);
  for (std::size_t row = 0; row < recording.rows; ++row) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      workspace.CopyIn(
          i, 0, 1,
          inputs[i].bytes().data() + row * model.inputs()[i].row_bytes);
    }
    float* next = recording.values.data() + row * recording.neurons;
    model.RunObserved(1, workspace, [&](std::size_t layer) {
      next =
          std::ranges::copy(model.ActivationRow(layer, 0, workspace), next).out;
    });
    const std::optional<RowFault> fault = workspace.Fault(0, 1);
    if (fault.has_value()) {
      return absl::InvalidArgumentError(
          fmt::format("row {}: {}", row, fault->reason));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Recording> Record(const CompiledModel& model,
                                 std::span<const Tensor> inputs) {
  Recording recording;
  recording.rows = static_cast<std::size_t>(inputs[0].shape()[0]);
  recording.elements = InputElements(model);
  for (const ActivationLayer& layer : model.activations()) {
    recording.neurons += layer.neurons;
    recording.on_above.resize(recording.neurons, layer.on_above);
  }
  const std::size_t row_bytes =
      (recording.neurons + recording.elements) * sizeof(float);
  if (row_bytes > 0 && recording.rows > kMostBytes / row_bytes) {
    return absl::ResourceExhaustedError(fmt::format(
        "what {} rows do takes more than {} bytes; use {} rows or fewer",
        recording.rows, kMostBytes, kMostBytes / row_bytes));
  }
  recording.values.resize(recording.rows * recording.neurons);
  recording.inputs.resize(recording.rows * recording.elements);
  RETURN_IF_ERROR(ReadInputs(model, inputs, recording));
  RETURN_IF_ERROR(RunRows(model, inputs, recording));
  return recording;
}

// --- Windows against the rows that are left ---

// The shifts of a window. Kept, so that its memory is taken once.
class WindowShifts {
 public:
  WindowShifts(const Recording& recording, const CompiledModel& model)
      : recording_(recording),
        model_(model),
        total_(recording),
        window_(recording),
        order_(recording.rows),
        random_(1) {
    for (std::size_t row = 0; row < recording.rows; ++row) {
      total_.AddRow(recording, row);
    }
    std::iota(order_.begin(), order_.end(), std::size_t{0});
  }

  const Sums& total() const { return total_; }

  void Draw(std::size_t rows) {
    window_.Clear();
    for (std::size_t i = 0; i < rows; ++i) {
      std::swap(order_[i], order_[i + random_() % (order_.size() - i)]);
      window_.AddRow(recording_, order_[i]);
    }
  }

  // Of the last draw: the mean squared shifts of firing and magnitude of each
  // layer.
  void AppendLayerScores(std::vector<double>& scores) const {
    std::size_t first = 0;
    for (const ActivationLayer& layer : model_.activations()) {
      double firing = 0.0;
      double magnitude = 0.0;
      for (std::size_t j = first; j < first + layer.neurons; ++j) {
        const double rate =
            RateShift(window_.on[j] / size(),
                      RestMean(window_.on[j], total_.on[j]), counts());
        const double mean = MeanShift(
            MomentsOf(window_.value[j], window_.value_squares[j], size()),
            MomentsOf(total_.value[j] - window_.value[j],
                      total_.value_squares[j] - window_.value_squares[j],
                      rest()),
            counts());
        firing += rate * rate;
        magnitude += mean * mean;
      }
      first += layer.neurons;
      scores.push_back(firing / static_cast<double>(layer.neurons));
      scores.push_back(magnitude / static_cast<double>(layer.neurons));
    }
  }

  // The squared shifts of the mean and of the spread of input element `i`.
  std::pair<double, double> InputShifts(std::size_t i) const {
    const double least = LeastVariance(recording_.input_mean[i]);
    const double rest_squares =
        total_.deviation_squares[i] - window_.deviation_squares[i];
    const double mean = MeanShift(
        MomentsOf(window_.deviation[i], window_.deviation_squares[i], size()),
        MomentsOf(total_.deviation[i] - window_.deviation[i], rest_squares,
                  rest()),
        counts(), least);
    const double spread = MeanShift(
        MomentsOf(window_.deviation_squares[i], window_.fourth_powers[i],
                  size()),
        MomentsOf(rest_squares,
                  total_.fourth_powers[i] - window_.fourth_powers[i], rest()),
        counts(), least * least);
    return {mean * mean, spread * spread};
  }

 private:
  double size() const { return static_cast<double>(window_.rows); }
  double rest() const {
    return static_cast<double>(total_.rows - window_.rows);
  }
  RowCounts counts() const {
    return {
        .rows = static_cast<std::int64_t>(window_.rows),
        .baseline_rows = static_cast<std::int64_t>(total_.rows - window_.rows)};
  }
  double RestMean(double window, double total) const {
    return (total - window) / rest();
  }

  const Recording& recording_;
  const CompiledModel& model_;
  Sums total_;
  Sums window_;
  std::vector<std::size_t> order_;
  std::mt19937_64 random_;
};

// --- Thresholds ---

// By element of all inputs.
struct InputLimits {
  std::vector<double> mean;
  std::vector<double> spread;
};

// The largest squared shifts of so many windows. An element that never varied
// may be of a rare category, of which one row in a window has a square of
// `rare_row`.
InputLimits LimitsOf(const Recording& recording, std::size_t window_rows,
                     WindowShifts& shifts) {
  InputLimits limits{.mean = std::vector<double>(recording.elements),
                     .spread = std::vector<double>(recording.elements)};
  for (std::size_t w = 0; w < kWindows; ++w) {
    shifts.Draw(window_rows);
    for (std::size_t i = 0; i < recording.elements; ++i) {
      const auto [mean, spread] = shifts.InputShifts(i);
      limits.mean[i] = std::max(limits.mean[i], mean);
      limits.spread[i] = std::max(limits.spread[i], spread);
    }
  }
  const double rare_row =
      static_cast<double>(recording.rows) / static_cast<double>(window_rows);
  for (std::vector<double>* const all : {&limits.mean, &limits.spread}) {
    for (double& limit : *all) {
      limit = std::max(kLeastLimit, limit == 0.0 ? 2.0 * rare_row : limit);
    }
  }
  return limits;
}

// What a layer scores in a window with one row in which a neuron does what it
// hardly ever did, be it on or off: no alarm. 0 if it has none.
struct RareScores {
  double firing = 0.0;
  double magnitude = 0.0;
};

RareScores RareScoresOf(const LayerBaseline& layer, RowCounts counts) {
  const auto window = static_cast<double>(counts.rows);
  RareScores rare;
  for (std::size_t j = 0; j < layer.rate.size(); ++j) {
    // RateShift() treats on and off alike.
    const double rate = std::min(layer.rate[j], 1.0 - layer.rate[j]);
    if (rate * window < 1.0) {
      const double shift = RateShift(1.0 / window, rate, counts);
      rare.firing = std::max(rare.firing, shift * shift);
    }
    if (layer.variance[j] == 0.0) {
      rare.magnitude = static_cast<double>(counts.baseline_rows) / window;
    }
  }
  // The others are about 1.
  const auto neurons = static_cast<double>(layer.rate.size());
  for (double* const score : {&rare.firing, &rare.magnitude}) {
    *score = *score == 0.0 ? 0.0 : 1.0 + *score / neurons;
  }
  return rare;
}

// Of other windows than the limits: new ones are beyond these more often than
// those that they were found in.
void SetThresholds(const Recording& recording, const InputLimits& limits,
                   WindowShifts& shifts, ActivityBaseline& baseline) {
  std::vector<std::vector<double>> scores(kWindows);
  for (std::vector<double>& window : scores) {
    shifts.Draw(static_cast<std::size_t>(baseline.window_rows));
    shifts.AppendLayerScores(window);
    double largest = 0.0;
    for (std::size_t i = 0; i < recording.elements; ++i) {
      const auto [mean, spread] = shifts.InputShifts(i);
      largest =
          std::max({largest, mean / limits.mean[i], spread / limits.spread[i]});
    }
    window.push_back(largest);
  }
  const std::vector<double> thresholds = JointThresholds(
      scores, static_cast<std::size_t>(baseline.false_alarm_rate *
                                       static_cast<double>(kWindows)));
  const RowCounts counts{.rows = baseline.window_rows,
                         .baseline_rows = baseline.rows};
  for (std::size_t i = 0; i < baseline.layers.size(); ++i) {
    LayerBaseline& layer = baseline.layers[i];
    const RareScores rare = RareScoresOf(layer, counts);
    layer.firing_threshold = std::max(thresholds[2 * i], rare.firing);
    layer.magnitude_threshold = std::max(thresholds[2 * i + 1], rare.magnitude);
  }
  baseline.input_threshold = thresholds.back();
}

// --- What is expected ---

void SetLayers(const CompiledModel& model, const Sums& total,
               ActivityBaseline& baseline) {
  const auto rows = static_cast<double>(total.rows);
  std::size_t first = 0;
  for (const ActivationLayer& layer : model.activations()) {
    LayerBaseline& expected = baseline.layers.emplace_back();
    expected.name = layer.name;
    for (std::size_t j = first; j < first + layer.neurons; ++j) {
      expected.rate.push_back(total.on[j] / rows);
      expected.mean.push_back(total.value[j] / rows);
      expected.variance.push_back(
          MomentsOf(total.value[j], total.value_squares[j], rows).variance);
    }
    first += layer.neurons;
  }
}

void SetInputs(const CompiledModel& model, const Recording& recording,
               const Sums& total, const InputLimits& limits,
               ActivityBaseline& baseline) {
  const auto rows = static_cast<double>(total.rows);
  std::size_t i = 0;
  for (const TensorSignature& input : model.inputs()) {
    InputBaseline& expected = baseline.inputs.emplace_back();
    expected.name = input.name;
    const std::size_t end = i + input.row_bytes / DataTypeSize(input.type);
    for (; i < end; ++i) {
      expected.mean.push_back(recording.input_mean[i]);
      expected.variance.push_back(total.deviation_squares[i] / rows);
      expected.spread_variance.push_back(
          MomentsOf(total.deviation_squares[i], total.fourth_powers[i], rows)
              .variance);
      expected.mean_limit.push_back(limits.mean[i]);
      expected.spread_limit.push_back(limits.spread[i]);
    }
  }
}

}  // namespace

absl::StatusOr<ActivityBaseline> Calibrate(const CompiledModel& model,
                                           std::span<const Tensor> inputs,
                                           const CalibrationOptions& options) {
  RETURN_IF_ERROR(CheckRows(model, inputs, options));
  ASSIGN_OR_RETURN(const Recording recording, Record(model, inputs));
  ActivityBaseline baseline;
  baseline.rows = static_cast<std::int64_t>(recording.rows);
  baseline.window_rows = options.window_rows;
  baseline.false_alarm_rate = options.false_alarm_rate;
  WindowShifts shifts(recording, model);
  SetLayers(model, shifts.total(), baseline);
  const InputLimits limits = LimitsOf(
      recording, static_cast<std::size_t>(options.window_rows), shifts);
  SetThresholds(recording, limits, shifts, baseline);
  SetInputs(model, recording, shifts.total(), limits, baseline);
  return baseline;
}

}  // namespace relu
