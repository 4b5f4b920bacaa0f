#include "core/repository/activity_file.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/util/json_util.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/base/utf8.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "proto/relu.pb.h"

namespace relu {
namespace {

constexpr std::size_t kMaxActivityBytes = std::size_t{256} << 20;

ActivityBaseline ToBaseline(const v1::GetActivityResponse& message) {
  ActivityBaseline baseline{.rows = message.sampled_rows(),
                            .window_rows = message.window_rows(),
                            .false_alarm_rate = message.false_alarm_rate(),
                            .input_threshold = message.input_threshold(),
                            .layers = {},
                            .inputs = {}};
  for (const v1::LayerActivity& layer : message.layers()) {
    baseline.layers.push_back(
        {.name = layer.name(),
         .rate = {layer.firing_rate().begin(), layer.firing_rate().end()},
         .mean = {layer.mean().begin(), layer.mean().end()},
         .variance = {layer.variance().begin(), layer.variance().end()},
         .firing_threshold = layer.firing_threshold(),
         .magnitude_threshold = layer.magnitude_threshold()});
  }
  for (const v1::InputActivity& input : message.inputs()) {
    baseline.inputs.push_back(
        {.name = input.name(),
         .features = {input.features().begin(), input.features().end()},
         .mean = {input.mean().begin(), input.mean().end()},
         .variance = {input.variance().begin(), input.variance().end()},
         .spread_variance = {input.spread_variance().begin(),
                             input.spread_variance().end()},
         .mean_limit = {input.mean_limit().begin(), input.mean_limit().end()},
         .spread_limit = {input.spread_limit().begin(),
                          input.spread_limit().end()}});
  }
  return baseline;
}

absl::StatusOr<ActivityBaseline> Parse(const std::string& json,
                                       const CompiledModel& model) {
  v1::GetActivityResponse message;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(json, &message);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(ToValidUtf8(parsed.message().ToString()));
  }
  ActivityBaseline baseline = ToBaseline(message);
  RETURN_IF_ERROR(CheckBaseline(baseline, model));
  return baseline;
}

}  // namespace

std::filesystem::path ActivityFileOf(const std::filesystem::path& model_file) {
  std::filesystem::path file = model_file;
  return file.replace_extension(".activity.json");
}

absl::StatusOr<std::optional<ActivityBaseline>> ReadActivityFile(
    const std::filesystem::path& model_file, const CompiledModel& model) {
  const std::filesystem::path file = ActivityFileOf(model_file);
  const absl::StatusOr<std::string> json = ReadFile(file, kMaxActivityBytes);
  if (absl::IsNotFound(json.status())) {
    return std::optional<ActivityBaseline>();
  }
  RETURN_IF_ERROR(json.status());
  absl::StatusOr<ActivityBaseline> baseline = Parse(*json, model);
  if (!baseline.ok()) {
    return WithPrefix(
        file.string() +
            ": no baseline of this model (reluctl calibrate makes "
            "one): ",
        baseline.status());
  }
  return std::optional<ActivityBaseline>(*std::move(baseline));
}

}  // namespace relu
