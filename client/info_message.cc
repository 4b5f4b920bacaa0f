#include "client/info_message.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

#include "client/server_info.h"
#include "fmt/format.h"

namespace relu {
namespace {

TensorMetadata TensorOf(
    const inference::ModelMetadataResponse::TensorMetadata& tensor) {
  return {.name = tensor.name(),
          .datatype = tensor.datatype(),
          .shape = {tensor.shape().begin(), tensor.shape().end()}};
}

DurationTotal TotalOf(const inference::StatisticDuration& duration) {
  return {.count = duration.count(),
          .time = std::chrono::nanoseconds(
              static_cast<std::int64_t>(duration.ns()))};
}

ModelStatistics StatisticsOf(const inference::ModelStatistics& message) {
  const inference::InferStatistics& stats = message.inference_stats();
  ModelStatistics statistics{.name = message.name(),
                             .version = message.version(),
                             .inference_count = message.inference_count(),
                             .execution_count = message.execution_count(),
                             .success = TotalOf(stats.success()),
                             .fail = TotalOf(stats.fail()),
                             .queue = TotalOf(stats.queue()),
                             .compute_input = TotalOf(stats.compute_input()),
                             .compute_infer = TotalOf(stats.compute_infer()),
                             .compute_output = TotalOf(stats.compute_output()),
                             .batches = {}};
  for (const auto& batch : message.batch_stats()) {
    statistics.batches.push_back(
        {.batch_size = batch.batch_size(),
         .compute_input = TotalOf(batch.compute_input()),
         .compute_infer = TotalOf(batch.compute_infer()),
         .compute_output = TotalOf(batch.compute_output())});
  }
  return statistics;
}

}  // namespace

ServerMetadata FromMessage(const inference::ServerMetadataResponse& message) {
  return {
      .name = message.name(),
      .version = message.version(),
      .extensions = {message.extensions().begin(), message.extensions().end()}};
}

ModelMetadata FromMessage(const inference::ModelMetadataResponse& message) {
  ModelMetadata metadata{
      .name = message.name(),
      .versions = {message.versions().begin(), message.versions().end()},
      .platform = message.platform(),
      .inputs = {},
      .outputs = {}};
  for (const auto& tensor : message.inputs()) {
    metadata.inputs.push_back(TensorOf(tensor));
  }
  for (const auto& tensor : message.outputs()) {
    metadata.outputs.push_back(TensorOf(tensor));
  }
  return metadata;
}

std::vector<ModelIndexEntry> FromMessage(
    const inference::RepositoryIndexResponse& message) {
  std::vector<ModelIndexEntry> entries;
  for (const auto& model : message.models()) {
    entries.push_back({.name = model.name(),
                       .version = model.version(),
                       .state = model.state(),
                       .reason = model.reason()});
  }
  return entries;
}

std::vector<ModelStatistics> FromMessage(
    const inference::ModelStatisticsResponse& message) {
  std::vector<ModelStatistics> models;
  for (const auto& model : message.model_stats()) {
    models.push_back(StatisticsOf(model));
  }
  return models;
}

absl::StatusOr<ModelConfiguration> FromMessage(
    const inference::ModelConfigResponse& message) {
  ModelConfiguration configuration;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;  // As config.pbtxt has them.
  const auto status = google::protobuf::util::MessageToJsonString(
      message.config(), &configuration.json, options);
  if (!status.ok()) {
    return absl::InternalError(
        fmt::format("malformed answer: the config: {}", status.ToString()));
  }
  google::protobuf::TextFormat::PrintToString(message.config(),
                                              &configuration.text);
  return configuration;
}

inference::RepositoryModelLoadRequest ToMessage(
    std::string_view model, const LoadModelOptions& options) {
  inference::RepositoryModelLoadRequest message;
  message.set_model_name(std::string(model));
  auto& parameters = *message.mutable_parameters();
  if (!options.config_json.empty()) {
    parameters["config"].set_string_param(options.config_json);
  }
  for (const auto& [name, bytes] : options.files) {
    parameters[fmt::format("file:{}", name)].set_bytes_param(bytes);
  }
  return message;
}

}  // namespace relu
