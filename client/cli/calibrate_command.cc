#include "client/cli/calibrate_command.h"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/model_rows.h"
#include "client/cli/outcome.h"
#include "client/cli/row_source.h"
#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_calibration.h"
#include "fmt/format.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

namespace fs = std::filesystem;
using BaselineObject = nlohmann::ordered_json;

// Gives the columns of the rows to the elements of the inputs.
void NameFeatures(const std::vector<std::string>& columns,
                  ActivityBaseline& baseline) {
  std::size_t next = 0;
  for (InputBaseline& input : baseline.inputs) {
    for (std::size_t i = 0; i < input.mean.size() && next < columns.size();
         ++i, ++next) {
      input.features.push_back(columns[next]);
    }
  }
}

absl::StatusOr<ActivityBaseline> CalibrateFile(
    const CalibrateOptions& options) {
  ASSIGN_OR_RETURN(const Graph graph, ImportOnnx(options.file));
  ASSIGN_OR_RETURN(const CompiledModel model, CompiledModel::Compile(graph));
  RETURN_IF_ERROR(SelfCheck(graph, model));
  RowOptions row_options;
  row_options.input = options.rows;
  row_options.label = options.label;
  ASSIGN_OR_RETURN(const ModelRows rows, ReadModelRows(row_options, graph));
  ASSIGN_OR_RETURN(ActivityBaseline baseline,
                   Calibrate(model, rows.inputs,
                             {.window_rows = options.window_rows,
                              .false_alarm_rate = options.false_alarm_rate}));
  NameFeatures(rows.columns, baseline);
  return baseline;
}

// Under another name first: a server that polls finds all of it, or nothing.
absl::Status WriteBaseline(const fs::path& path, const std::string& text) {
  const fs::path part =
      path.parent_path() / fmt::format(".{}.part", path.filename().string());
  std::ofstream file(part, std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file) {
    fs::rename(part, path, error);
  }
  if (!file || error) {
    fs::remove(part, error);
    return absl::InvalidArgumentError(
        fmt::format("{}: cannot be written", path.string()));
  }
  return absl::OkStatus();
}

std::string Summary(const ActivityBaseline& baseline, const fs::path& path) {
  std::size_t neurons = 0;
  for (const LayerBaseline& layer : baseline.layers) {
    neurons += layer.rate.size();
  }
  return fmt::format(
      "{}: {} layers with {} neurons on {} rows; windows of {} rows, false "
      "alarms in {:g} % of them\n",
      path.string(), baseline.layers.size(), neurons, baseline.rows,
      baseline.window_rows, 100 * baseline.false_alarm_rate);
}

}  // namespace

std::string BaselineJson(const ActivityBaseline& baseline) {
  BaselineObject layers = BaselineObject::array();
  for (const LayerBaseline& layer : baseline.layers) {
    layers.push_back({{"name", layer.name},
                      {"firing_threshold", layer.firing_threshold},
                      {"magnitude_threshold", layer.magnitude_threshold},
                      {"firing_rate", layer.rate},
                      {"mean", layer.mean},
                      {"variance", layer.variance}});
  }
  BaselineObject inputs = BaselineObject::array();
  for (const InputBaseline& input : baseline.inputs) {
    inputs.push_back({{"name", input.name},
                      {"features", input.features},
                      {"mean", input.mean},
                      {"variance", input.variance},
                      {"spread_variance", input.spread_variance},
                      {"mean_limit", input.mean_limit},
                      {"spread_limit", input.spread_limit}});
  }
  const BaselineObject json = {{"sampled_rows", baseline.rows},
                               {"window_rows", baseline.window_rows},
                               {"false_alarm_rate", baseline.false_alarm_rate},
                               {"input_threshold", baseline.input_threshold},
                               {"layers", std::move(layers)},
                               {"inputs", std::move(inputs)}};
  return json.dump() + "\n";
}

Outcome RunCalibrate(const CalibrateOptions& options) {
  const auto baseline = CalibrateFile(options);
  if (!baseline.ok()) {
    return WrongInput(baseline.status());
  }
  fs::path path = options.baseline;
  if (path.empty()) {
    path = fs::path(options.file).replace_extension(".activity.json");
  }
  const absl::Status status = WriteBaseline(path, BaselineJson(*baseline));
  if (!status.ok()) {
    return WrongInput(status);
  }
  return {.code = ExitCode::kOk, .out = Summary(*baseline, path), .err = {}};
}

}  // namespace relu
