#include "client/cli/activity_text.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "client/activity.h"
#include "client/cli/display_text.h"
#include "client/cli/output_form.h"
#include "client/cli/table.h"
#include "fmt/format.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using ActivityObject = nlohmann::ordered_json;

constexpr std::size_t kMapColumns = 64;
constexpr std::size_t kMapCells = 512;  // Of one layer.

std::string Short(double number) { return fmt::format("{:.4g}", number); }

std::string Percent(double part) { return fmt::format("{:.1f} %", 100 * part); }

// "12.3 !" beyond its threshold.
std::string Score(double score, double threshold) {
  return fmt::format("{:.3g}{}", score, score > threshold ? " !" : "");
}

std::string Heading(const ActivityResult& result) {
  std::string text =
      fmt::format("{} version {}: {} rows looked at, 1 of {}",
                  EscapeControl(result.model_name), result.model_version,
                  result.sampled_rows, result.sample_every);
  if (result.nonfinite_rows > 0) {
    text += fmt::format(", {} of them with infinite or NaN inputs",
                        result.nonfinite_rows);
  }
  if (result.skipped_rows > 0) {
    text += fmt::format(", {} skipped", result.skipped_rows);
  }
  text += '\n';
  if (result.baseline_rows == 0) {
    return text +
           "no calibration, so no drift is told: see reluctl calibrate "
           "--help\n";
  }
  text += fmt::format(
      "{} windows of {} rows, {} with drift ({} without any, "
      "by calibration on {} rows)\n",
      result.windows, result.window_rows, result.drifted_windows,
      Percent(result.false_alarm_rate), result.baseline_rows);
  if (result.windows > 0) {
    text += result.drift ? "the last window: DRIFT\n"
                         : "the last window: no drift\n";
  }
  return text;
}

std::string Layers(const ActivityResult& result) {
  const bool scores = result.baseline_rows > 0 && result.windows > 0;
  TableRow header = {"layer", "function",  "neurons",   "off",
                     "dead",  "always on", "saturated", "largest"};
  if (scores) {
    header.insert(header.end(),
                  {"firing", "threshold", "magnitude", "threshold"});
  }
  std::vector<TableRow> rows;
  for (const LayerActivity& layer : result.layers) {
    const double largest =
        layer.largest.empty() ? 0.0 : std::ranges::max(layer.largest);
    TableRow& row = rows.emplace_back(TableRow{
        layer.name, layer.function, fmt::format("{}", layer.firing_rate.size()),
        Percent(layer.sparsity), fmt::format("{}", layer.dead),
        fmt::format("{}", layer.always_on), fmt::format("{}", layer.saturated),
        Short(largest)});
    if (scores) {
      row.insert(row.end(),
                 {Score(layer.firing_score, layer.firing_threshold),
                  fmt::format("{:.3g}", layer.firing_threshold),
                  Score(layer.magnitude_score, layer.magnitude_threshold),
                  fmt::format("{:.3g}", layer.magnitude_threshold)});
    }
  }
  if (rows.empty()) {
    return "the model has no activations that can be looked at\n";
  }
  return FormatTable(header, rows) +
         fmt::format(
             "A neuron that was never on, or always, is so in all but {:.2g} % "
             "of rows (95 % confidence).\n",
             100 * result.unseen_bound);
}

std::string Inputs(const ActivityResult& result, std::size_t top_k) {
  const std::vector<MovedInput> moved = MovedInputs(result, top_k);
  if (moved.empty()) {
    return "";
  }
  std::vector<TableRow> rows;
  for (const auto& [input, i] : moved) {
    rows.push_back({input->FeatureName(static_cast<std::int64_t>(i)),
                    Short(input->mean[i]), Short(input->baseline_mean[i]),
                    Short(std::sqrt(input->variance[i])),
                    Short(std::sqrt(input->baseline_variance[i])),
                    Score(input->score[i], result.input_threshold)});
  }
  return fmt::format("\ninputs that moved most (beyond {:.3g}: drift)\n",
                     result.input_threshold) +
         FormatTable(
             {"input", "mean", "calibration", "sd", "calibration", "score"},
             rows);
}

// The name of what moved a neuron: a feature, or a neuron of another layer.
std::string SourceName(const ActivityResult& result,
                       const ActivityCause& cause) {
  const auto input =
      std::ranges::find(result.inputs, cause.source, &InputActivity::name);
  return input != result.inputs.end()
             ? input->FeatureName(cause.element)
             : fmt::format("{}[{}]", cause.source, cause.element);
}

// "age +0.5, income -0.25".
std::string Causes(const ActivityResult& result,
                   const std::vector<ActivityCause>& causes) {
  std::string text;
  for (const ActivityCause& cause : causes) {
    text += fmt::format("{}{} {:+.3g}", text.empty() ? "" : ", ",
                        SourceName(result, cause), cause.moved_by);
  }
  return text;
}

std::string Neurons(const ActivityResult& result) {
  std::vector<TableRow> rows;
  for (const LayerActivity& layer : result.layers) {
    for (const MovedNeuron& neuron : layer.moved) {
      rows.push_back({fmt::format("{}[{}]", layer.name, neuron.neuron),
                      Percent(neuron.firing_rate),
                      Percent(neuron.baseline_firing_rate), Short(neuron.mean),
                      Short(neuron.baseline_mean),
                      Causes(result, neuron.causes)});
    }
  }
  return rows.empty()
             ? ""
             : "\nneurons that moved most, and by how much what they read "
               "moved their sums\n" +
                   FormatTable({"neuron", "on", "calibration", "mean",
                                "calibration", "moved by"},
                               rows);
}

bool ReadsNeurons(const ActivityResult& result, const MovedNeuron& neuron) {
  return std::ranges::any_of(neuron.causes, [&](const ActivityCause& cause) {
    return std::ranges::count(result.layers, cause.source,
                              &LayerActivity::name) > 0;
  });
}

// Of neurons that read others: the inputs behind these.
std::string Origins(const ActivityResult& result) {
  std::vector<TableRow> rows;
  for (const LayerActivity& layer : result.layers) {
    for (const MovedNeuron& neuron : layer.moved) {
      if (ReadsNeurons(result, neuron) && !neuron.origins.empty()) {
        rows.push_back({fmt::format("{}[{}]", layer.name, neuron.neuron),
                        fmt::format("{:+.3g}", neuron.sum_shift),
                        fmt::format("{:+.3g}", neuron.origin_remainder),
                        Causes(result, neuron.origins)});
      }
    }
  }
  return rows.empty()
             ? ""
             : "\nthe inputs behind neurons of deeper layers, and what they "
               "leave open\n" +
                   FormatTable({"neuron", "its sum", "left open", "moved by"},
                               rows);
}

std::string HeatMaps(const ActivityResult& result) {
  std::string text;
  for (const LayerActivity& layer : result.layers) {
    const std::size_t size = layer.firing_rate.size();
    const std::size_t cell = (size + kMapCells - 1) / kMapCells;
    text += fmt::format("\n{}, firing rates", EscapeControl(layer.name));
    text += cell > 1 ? fmt::format(", {} neurons a character\n", cell) : "\n";
    text += HeatMap(layer.firing_rate);
  }
  return text.empty() ? text
                      : text +
                            "\n\u00B7 never on  \u2591 to 25 %  \u2592 to "
                            "50 %  \u2593 to 75 %  \u2588 above\n";
}

ActivityObject ToJson(const std::vector<ActivityCause>& causes) {
  ActivityObject list = ActivityObject::array();
  for (const ActivityCause& cause : causes) {
    list.push_back({{"source", cause.source},
                    {"element", cause.element},
                    {"mean", cause.mean},
                    {"baseline_mean", cause.baseline_mean},
                    {"weight", cause.weight},
                    {"moved_by", cause.moved_by}});
  }
  return list;
}

ActivityObject ToJson(const MovedNeuron& neuron) {
  return {{"neuron", neuron.neuron},
          {"firing_rate", neuron.firing_rate},
          {"baseline_firing_rate", neuron.baseline_firing_rate},
          {"mean", neuron.mean},
          {"baseline_mean", neuron.baseline_mean},
          {"causes", ToJson(neuron.causes)},
          {"origins", ToJson(neuron.origins)},
          {"sum_shift", neuron.sum_shift},
          {"origin_remainder", neuron.origin_remainder}};
}

ActivityObject ToJson(const LayerActivity& layer) {
  ActivityObject moved = ActivityObject::array();
  for (const MovedNeuron& neuron : layer.moved) {
    moved.push_back(ToJson(neuron));
  }
  return {{"name", layer.name},
          {"function", layer.function},
          {"sparsity", layer.sparsity},
          {"dead", layer.dead},
          {"always_on", layer.always_on},
          {"saturated", layer.saturated},
          {"firing_score", layer.firing_score},
          {"firing_threshold", layer.firing_threshold},
          {"magnitude_score", layer.magnitude_score},
          {"magnitude_threshold", layer.magnitude_threshold},
          {"firing_rate", layer.firing_rate},
          {"mean", layer.mean},
          {"largest", layer.largest},
          {"firing_shift", layer.firing_shift},
          {"magnitude_shift", layer.magnitude_shift},
          {"moved", std::move(moved)}};
}

ActivityObject ToJson(const InputActivity& input) {
  return {{"name", input.name},
          {"features", input.features},
          {"mean", input.mean},
          {"variance", input.variance},
          {"baseline_mean", input.baseline_mean},
          {"baseline_variance", input.baseline_variance},
          {"mean_shift", input.mean_shift},
          {"spread_shift", input.spread_shift},
          {"score", input.score}};
}

}  // namespace

std::string ActivityOverview(const ActivityResult& result, std::size_t top_k) {
  return Heading(result) + '\n' + Layers(result) + Inputs(result, top_k) +
         Neurons(result) + Origins(result) + HeatMaps(result);
}

std::string ActivityJson(const ActivityResult& result) {
  ActivityObject layers = ActivityObject::array();
  for (const LayerActivity& layer : result.layers) {
    layers.push_back(ToJson(layer));
  }
  ActivityObject inputs = ActivityObject::array();
  for (const InputActivity& input : result.inputs) {
    inputs.push_back(ToJson(input));
  }
  const ActivityObject json = {{"model_name", result.model_name},
                               {"model_version", result.model_version},
                               {"sample_every", result.sample_every},
                               {"sampled_rows", result.sampled_rows},
                               {"nonfinite_rows", result.nonfinite_rows},
                               {"skipped_rows", result.skipped_rows},
                               {"unseen_bound", result.unseen_bound},
                               {"window_rows", result.window_rows},
                               {"windows", result.windows},
                               {"drifted_windows", result.drifted_windows},
                               {"baseline_rows", result.baseline_rows},
                               {"false_alarm_rate", result.false_alarm_rate},
                               {"input_score", result.input_score},
                               {"input_threshold", result.input_threshold},
                               {"drift", result.drift},
                               {"layers", std::move(layers)},
                               {"inputs", std::move(inputs)}};
  return json.dump() + "\n";
}

std::string NeuronListing(const ActivityResult& result,
                          const std::string& layer, const OutputStyle& style) {
  Listing listing{
      .names = {"layer", "neuron", "on", "on_low", "on_high", "mean", "largest",
                "firing_shift", "magnitude_shift"},
      .rows = {}};
  const std::int64_t rows = result.sampled_rows - result.nonfinite_rows;
  for (const LayerActivity& one : result.layers) {
    for (std::size_t j = 0;
         j < one.firing_rate.size() && (layer.empty() || one.name == layer);
         ++j) {
      const auto [low, high] = RateInterval(one.firing_rate[j], rows);
      const bool shifts = j < one.firing_shift.size();
      listing.rows.push_back(
          {one.name, fmt::format("{}", j), Short(one.firing_rate[j]),
           Short(low), Short(high), Short(one.mean[j]), Short(one.largest[j]),
           shifts ? Short(one.firing_shift[j]) : "",
           shifts ? Short(one.magnitude_shift[j]) : ""});
    }
  }
  return FormatListing(listing, style,
                       {"neuron", "on", "on_low", "on_high", "mean", "largest",
                        "firing_shift", "magnitude_shift"});
}

std::string HeatMap(const std::vector<double>& firing_rates) {
  const std::size_t size = firing_rates.size();
  const std::size_t cell = (size + kMapCells - 1) / kMapCells;
  std::string map;
  std::size_t column = 0;
  for (std::size_t first = 0; first < size; first += cell) {
    const std::size_t end = std::min(first + cell, size);
    double rate = 0.0;
    for (std::size_t j = first; j < end; ++j) {
      rate += firing_rates[j] / static_cast<double>(end - first);
    }
    map += rate <= 0.0    ? "\u00B7"
           : rate <= 0.25 ? "\u2591"
           : rate <= 0.5  ? "\u2592"
           : rate <= 0.75 ? "\u2593"
                          : "\u2588";
    column = (column + 1) % kMapColumns;
    map += column == 0 ? "\n" : "";
  }
  return column == 0 ? map : map + "\n";
}

std::pair<double, double> RateInterval(double rate, std::int64_t rows) {
  if (rows < 1) {
    return {0.0, 1.0};
  }
  constexpr double kZ = 1.959964;  // 97.5 % of a normal distribution.
  const auto n = static_cast<double>(rows);
  const double centre = rate + kZ * kZ / (2 * n);
  const double half =
      kZ * std::sqrt(rate * (1 - rate) / n + kZ * kZ / (4 * n * n));
  const double scale = 1 + kZ * kZ / n;
  return {std::max(0.0, (centre - half) / scale),
          std::min(1.0, (centre + half) / scale)};
}

std::vector<MovedInput> MovedInputs(const ActivityResult& result,
                                    std::size_t top_k) {
  std::vector<MovedInput> moved;
  for (const InputActivity& input : result.inputs) {
    for (std::size_t i = 0; i < input.score.size(); ++i) {
      moved.push_back({.input = &input, .element = i});
    }
  }
  std::ranges::stable_sort(
      moved, std::ranges::greater(),
      [](const MovedInput& one) { return one.input->score[one.element]; });
  moved.resize(std::min(top_k, moved.size()));
  return moved;
}

}  // namespace relu
