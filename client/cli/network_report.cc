#include "client/cli/network_report.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/table.h"
#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/plan/plan_report.h"
#include "core/relu/dense_op.h"
#include "core/relu/gradient_profile.h"
#include "core/relu/layer_profile.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/overflow_certificate.h"
#include "core/relu/piecewise_lowering.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/skip_forecast.h"
#include "core/relu/value_bounds.h"
#include "fmt/format.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using NetworkJson = nlohmann::ordered_json;

std::string FourDigits(double value) { return fmt::format("{:.4g}", value); }

std::string Percent(double part) { return fmt::format("{:.1f} %", 100 * part); }

std::string LayerName(const LayerReport& layer) {
  return fmt::format("{} -> {}", layer.weights.inputs, layer.weights.outputs);
}

void AddRowsJson(const LayerReport& layer, NetworkJson& json) {
  json["gradient"] = layer.gradients.own;
  json["tanh_gradient"] = layer.gradients.tanh;
  json["sigmoid_gradient"] = layer.gradients.sigmoid;
  json["input_zeros"] = layer.forecast.zeros;
  if (layer.forecast.break_even.has_value()) {
    json["break_even_zeros"] = *layer.forecast.break_even;
  }
  json["skipping_rows"] = layer.forecast.skipping_rows;
  json["dense_ns"] = layer.forecast.dense_ns;
  json["expected_ns"] = layer.forecast.expected_ns;
}

// The largest size of a value of the slot.
double LargestIn(const Slot& slot, const ValueBounds& bounds) {
  double largest = 0.0;
  for (std::size_t at = slot.offset; at < slot.offset + slot.size; ++at) {
    largest = std::max({largest, -bounds.Lowest(at), bounds.Highest(at)});
  }
  return largest;
}

std::string Verdict(const OverflowCertificate& float32,
                    const OverflowCertificate& float16) {
  if (!float32.certified) {
    return fmt::format("not certified: {}", float32.reason);
  }
  return float16.certified
             ? "certified: no infinity or NaN in float32, nor if values are "
               "stored as float16"
             : fmt::format(
                   "certified: no infinity or NaN in float32; values may "
                   "overflow if they are stored as float16: {}",
                   float16.reason);
}

}  // namespace

NetworkReport::NetworkReport(const Graph& graph, PiecewiseNetwork network)
    : graph_(graph), network_(std::move(network)) {
  for (LayerProfile& profile : ProfileLayers(network_)) {
    LayerReport& layer = layers_.emplace_back();
    layer.node = std::get<DenseOp>(network_.ops[profile.op]).node;
    layer.weights = profile;
  }
}

absl::StatusOr<NetworkReport> NetworkReport::Of(const Graph& graph) {
  ASSIGN_OR_RETURN(PiecewiseNetwork network, LowerToPiecewise(graph, ""));
  return NetworkReport(graph, std::move(network));
}

LayerReport* NetworkReport::ReportOf(std::size_t dense_op) {
  const auto found = std::ranges::find_if(
      layers_, [&](const auto& layer) { return layer.weights.op == dense_op; });
  return found == layers_.end() ? nullptr : &*found;
}

absl::Status NetworkReport::AddRows(const InputRows& rows,
                                    const PlanReport& plan) {
  ASSIGN_OR_RETURN(std::vector<ActivationProfile> profiles,
                   ProfileActivations(network_, rows));
  rows_ = rows.rows;
  for (ActivationProfile& profile : profiles) {
    const auto& op = std::get<ActivationOp>(network_.ops[profile.op]);
    if (LayerReport* const layer = ReportOf(op.layer)) {
      layer->activity = std::move(profile);
    }
  }
  ASSIGN_OR_RETURN(const std::vector<GradientProfile> gradients,
                   ProfileGradients(network_, rows));
  ASSIGN_OR_RETURN(const std::vector<SkipForecast> forecasts,
                   ForecastZeroSkip(network_, rows, plan));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].gradients = gradients[i];
    layers_[i].forecast = forecasts[i];
  }
  return absl::OkStatus();
}

absl::Status NetworkReport::AddBox(const InputBox& box, std::string what) {
  RETURN_IF_ERROR(CheckBox(network_, box));
  box_ = std::move(what);
  ValueBounds linear = LinearBounds(network_, box);
  AddBounds(IntervalBounds(network_, box), linear);
  bounds_ = std::move(linear);
  certificate_ = CertifyNoOverflow(graph_, box);
  float16_certificate_ =
      CertifyNoOverflow(graph_, box, {.values = ValueStorage::kFloat16});
  return absl::OkStatus();
}

void NetworkReport::AddBounds(const ValueBounds& interval,
                              const ValueBounds& linear) {
  for (const Op& any : network_.ops) {
    const auto* const op = std::get_if<ActivationOp>(&any);
    LayerReport* const layer = op == nullptr ? nullptr : ReportOf(op->layer);
    for (std::size_t i = 0; layer != nullptr && i < op->input.size; ++i) {
      const PiecewiseLinear& function = op->function(i);
      if (function.kinks == 1) {
        const std::size_t at = op->input.offset + i;
        const auto kink = double{function.kink_at[0]};
        layer->proven_off += linear.Highest(at) <= kink ? 1 : 0;
        layer->proven_on += linear.Lowest(at) > kink ? 1 : 0;
      }
    }
  }
  for (LayerReport& layer : layers_) {
    const auto& op = std::get<DenseOp>(network_.ops[layer.weights.op]);
    layer.interval_bound = LargestIn(op.output, interval);
    layer.linear_bound = LargestIn(op.output, linear);
  }
}

std::string NetworkReport::LayersText() const {
  TableRow header = {"layer", "gain", "spectral norm", "zero weights"};
  if (rows_ > 0) {
    header.insert(header.end(), {"zeros", "dead", "always on", "largest sum"});
  }
  if (bounds_.has_value()) {
    header.insert(header.end(),
                  {"proven off", "proven on", "possible (IBP)", "(CROWN)"});
  }
  std::vector<TableRow> table;
  for (const LayerReport& layer : layers_) {
    const LayerProfile& weights = layer.weights;
    TableRow row = {LayerName(layer), FourDigits(weights.gain),
                    FourDigits(weights.spectral_norm),
                    fmt::format("{}", weights.zero_weights)};
    if (rows_ > 0 && layer.activity.has_value()) {
      row.insert(row.end(), {Percent(layer.activity->zeros),
                             fmt::format("{}", layer.activity->dead()),
                             fmt::format("{}", layer.activity->always_on()),
                             FourDigits(layer.activity->largest_input)});
    } else if (rows_ > 0) {
      row.insert(row.end(), {"", "", "", ""});
    }
    if (bounds_.has_value()) {
      row.insert(row.end(), {fmt::format("{}", layer.proven_off),
                             fmt::format("{}", layer.proven_on),
                             FourDigits(layer.interval_bound),
                             FourDigits(layer.linear_bound)});
    }
    table.push_back(std::move(row));
  }
  return FormatTable(header, table);
}

std::string NetworkReport::RowsText() const {
  std::vector<TableRow> table;
  for (const LayerReport& layer : layers_) {
    const SkipForecast& forecast = layer.forecast;
    TableRow row = {LayerName(layer), FourDigits(layer.gradients.own),
                    FourDigits(layer.gradients.tanh),
                    FourDigits(layer.gradients.sigmoid),
                    Percent(forecast.zeros)};
    if (forecast.break_even.has_value()) {
      row.insert(
          row.end(),
          {Percent(*forecast.break_even), Percent(forecast.skipping_rows),
           fmt::format("{:.2f}", forecast.dense_ns / forecast.expected_ns)});
    } else {
      row.insert(row.end(), {"never", "", ""});
    }
    table.push_back(std::move(row));
  }
  return fmt::format(
      "Gradients of the largest output, and zero-skipping, on {} rows\n{}",
      rows_,
      FormatTable({"layer", "gradient", "with tanh", "with sigmoid",
                   "input zeros", "skipped from", "on rows", "times as fast"},
                  table));
}

std::string NetworkReport::Text() const {
  std::string text = fmt::format("Network: f(x) = J x + t up to \"{}\"\n{}",
                                 network_.explained_name, LayersText());
  if (rows_ > 0) {
    text += fmt::format("Activity: on {} rows\n\n{}\n", rows_, RowsText());
  }
  if (bounds_.has_value()) {
    const Slot& output = network_.output;
    double low = bounds_->Lowest(output.offset);
    double high = bounds_->Highest(output.offset);
    for (std::size_t i = 1; i < output.size; ++i) {
      low = std::min(low, bounds_->Lowest(output.offset + i));
      high = std::max(high, bounds_->Highest(output.offset + i));
    }
    text += fmt::format(
        "Bounds: for every input {}, \"{}\" is from {} to {}\n{}\n", box_,
        network_.explained_name, FourDigits(low), FourDigits(high),
        Verdict(certificate_, float16_certificate_));
  }
  return text;
}

std::string NetworkReport::Json() const {
  NetworkJson layers = NetworkJson::array();
  for (const LayerReport& layer : layers_) {
    const LayerProfile& weights = layer.weights;
    NetworkJson json = {{"node", layer.node},
                        {"inputs", weights.inputs},
                        {"outputs", weights.outputs},
                        {"gain", weights.gain},
                        {"spectral_norm", weights.spectral_norm},
                        {"zero_weights", weights.zero_weights}};
    if (layer.activity.has_value()) {
      json["zeros"] = layer.activity->zeros;
      json["largest_input"] = layer.activity->largest_input;
      json["on"] = layer.activity->on;
      json["dead"] = layer.activity->dead();
      json["always_on"] = layer.activity->always_on();
    }
    if (rows_ > 0) {
      AddRowsJson(layer, json);
    }
    if (bounds_.has_value()) {
      json["proven_off"] = layer.proven_off;
      json["proven_on"] = layer.proven_on;
      json["interval_bound"] = layer.interval_bound;
      json["linear_bound"] = layer.linear_bound;
    }
    layers.push_back(std::move(json));
  }
  NetworkJson json = {{"explained", network_.explained_name},
                      {"layers", std::move(layers)}};
  if (rows_ > 0) {
    json["rows"] = rows_;
  }
  if (bounds_.has_value()) {
    NetworkJson low = NetworkJson::array();
    NetworkJson high = NetworkJson::array();
    for (std::size_t i = 0; i < network_.output.size; ++i) {
      low.push_back(bounds_->Lowest(network_.output.offset + i));
      high.push_back(bounds_->Highest(network_.output.offset + i));
    }
    json["box"] = box_;
    json["low"] = std::move(low);
    json["high"] = std::move(high);
    json["largest_sum"] = bounds_->largest_sum;
    json["largest_value"] = bounds_->largest_value;
    json["fits_float32"] = certificate_.certified;
    json["fits_float16"] = float16_certificate_.certified;
    json["verdict"] = Verdict(certificate_, float16_certificate_);
  }
  return json.dump(-1, ' ', /*ensure_ascii=*/false,
                   NetworkJson::error_handler_t::replace);
}

}  // namespace relu
