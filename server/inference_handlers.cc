#include "server/inference_handlers.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/plan/compiled_model.h"
#include "core/repository/effective_config.h"
#include "core/repository/model.h"
#include "core/repository/model_override.h"
#include "core/repository/model_repository.h"
#include "core/tensor/data_type.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "server/model_statistics.h"
#include "server/text.h"
#include "server/version.h"

namespace relu {
namespace {

constexpr char kServerName[] = "relud";

// Triton's form, "<engine>_<format>".
constexpr char kPlatform[] = "relu_onnx";

void FillTensor(const TensorSignature& signature,
                inference::ModelMetadataResponse::TensorMetadata& tensor) {
  tensor.set_name(signature.name);
  tensor.set_datatype(std::string(DataTypeName(signature.type)));
  for (const std::int64_t size : signature.shape) {
    tensor.add_shape(size);
  }
}

absl::Status NamesRepository(const std::string& name) {
  return absl::UnimplementedError(
      fmt::format("repository '{}': 'repository_name' is not supported, "
                  "expected it to be empty",
                  Printable(name)));
}

// The model of a load or unload. Under the same method, KServe's clients send
// its name where Triton's send that of the repository.
struct ControlTarget {
  std::string model;
  bool is_kserve = false;
};

template <typename Request>
absl::StatusOr<ControlTarget> ReadTarget(const Request& request) {
  if (request.model_name().empty()) {
    return ControlTarget{.model = request.repository_name(),
                         .is_kserve = !request.repository_name().empty()};
  }
  if (!request.repository_name().empty()) {
    return NamesRepository(request.repository_name());
  }
  return ControlTarget{.model = request.model_name()};
}

absl::Status WrongType(std::string_view key, std::string_view wanted) {
  return absl::InvalidArgumentError(
      fmt::format("invalid value type for load parameter '{}', expected {}",
                  Printable(key), wanted));
}

absl::StatusOr<ModelOverride> ReadOverride(
    const inference::RepositoryModelLoadRequest& request) {
  ModelOverride change;
  for (const auto& [key, value] : request.parameters()) {
    if (key == "config") {
      if (!value.has_string_param()) {
        return WrongType(key, "string_param");
      }
      change.config_json = value.string_param();
    } else if (key.starts_with("file:")) {
      if (!value.has_bytes_param()) {
        return WrongType(key, "bytes_param");
      }
      RETURN_IF_ERROR(change.AddFile(key, value.bytes_param()));
    } else {
      return absl::InvalidArgumentError(
          fmt::format("unrecognized load parameter '{}', expected 'config' or "
                      "'file:<version>/<name>'",
                      Printable(key)));
    }
  }
  return change;
}

}  // namespace

InferenceHandlers::InferenceHandlers(ModelRepository& repository,
                                     bool strict_readiness, bool shared_memory)
    : repository_(repository),
      strict_readiness_(strict_readiness),
      shared_memory_(shared_memory) {}

absl::Status InferenceHandlers::ServerLive(
    const inference::ServerLiveRequest& /*request*/,
    inference::ServerLiveResponse& response) const {
  response.set_live(true);
  return absl::OkStatus();
}

absl::Status InferenceHandlers::ServerReady(
    const inference::ServerReadyRequest& /*request*/,
    inference::ServerReadyResponse& response) const {
  response.set_ready(ready());
  return absl::OkStatus();
}

absl::Status InferenceHandlers::ModelReady(
    const inference::ModelReadyRequest& request,
    inference::ModelReadyResponse& response) const {
  const auto model = repository_.Find(request.name(), request.version());
  if (absl::IsInvalidArgument(model.status())) {
    return model.status();
  }
  response.set_ready(model.ok() &&
                     !shutting_down_.load(std::memory_order_relaxed));
  return absl::OkStatus();
}

absl::Status InferenceHandlers::ServerMetadata(
    const inference::ServerMetadataRequest& /*request*/,
    inference::ServerMetadataResponse& response) const {
  response.set_name(kServerName);
  response.set_version(std::string(kServerVersion));
  // Clients take a name in that list as a promise of all of its calls: of
  // Triton's extensions these are whole here.
  for (const char* extension :
       {"model_repository", "model_repository(unload_dependents)",
        "model_configuration", "binary_tensor_data", "classification",
        "statistics", "logging"}) {
    response.add_extensions(extension);
  }
  if (shared_memory_) {
    response.add_extensions("system_shared_memory");
  }
  return absl::OkStatus();
}

absl::Status InferenceHandlers::ModelMetadata(
    const inference::ModelMetadataRequest& request,
    inference::ModelMetadataResponse& response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Model> model,
                   repository_.Find(request.name(), request.version()));
  const CompiledModel& compiled = model->compiled();
  response.set_name(model->name());
  for (const std::int64_t version : repository_.ServedVersions(model->name())) {
    response.add_versions(std::to_string(version));
  }
  response.set_platform(kPlatform);
  for (const TensorSignature& input : compiled.inputs()) {
    FillTensor(input, *response.add_inputs());
  }
  for (const TensorSignature& output : compiled.outputs()) {
    FillTensor(output, *response.add_outputs());
  }
  return absl::OkStatus();
}

absl::Status InferenceHandlers::ModelStatistics(
    const inference::ModelStatisticsRequest& request,
    inference::ModelStatisticsResponse& response) const {
  std::string wanted;  // Of the versions; "": all.
  if (!request.name().empty()) {
    // It is an error if there is none; and a version may be named by a label.
    ASSIGN_OR_RETURN(const std::shared_ptr<Model> named,
                     repository_.Find(request.name(), request.version()));
    wanted = request.version().empty() ? "" : std::to_string(named->version());
  } else {
    wanted = request.version();
  }
  for (const ModelState& state : repository_.Index()) {
    const std::string version = std::to_string(state.version);
    if ((!request.name().empty() && request.name() != state.name) ||
        (!wanted.empty() && wanted != version)) {
      continue;
    }
    const auto model = repository_.Find(state.name, version);
    if (model.ok()) {
      FillStatistics(**model, *response.add_model_stats());
    }
  }
  return absl::OkStatus();
}

absl::Status InferenceHandlers::RepositoryIndex(
    const inference::RepositoryIndexRequest& request,
    inference::RepositoryIndexResponse& response) const {
  if (!request.repository_name().empty()) {
    return NamesRepository(request.repository_name());
  }
  for (const ModelState& state : repository_.Index()) {
    if (request.ready() && !state.ready()) {
      continue;
    }
    auto& model = *response.add_models();
    model.set_name(state.name);
    if (state.version > 0) {
      model.set_version(std::to_string(state.version));
    }
    model.set_state(std::string(VersionStateName(state.state)));
    model.set_reason(Printable(state.reason, 2000));
  }
  return absl::OkStatus();
}

absl::Status InferenceHandlers::ModelConfig(
    const inference::ModelConfigRequest& request,
    inference::ModelConfigResponse& response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Model> model,
                   repository_.Find(request.name(), request.version()));
  *response.mutable_config() = EffectiveConfig(*model);
  return absl::OkStatus();
}

void InferenceHandlers::RepositoryModelLoad(
    const inference::RepositoryModelLoadRequest& request,
    std::function<void(absl::StatusOr<inference::RepositoryModelLoadResponse>)>
        done) {
  absl::StatusOr<ControlTarget> target = ReadTarget(request);
  absl::StatusOr<ModelOverride> change = ReadOverride(request);
  if (!target.ok() || !change.ok()) {
    done(target.ok() ? change.status() : target.status());
    return;
  }
  repository_.LoadModel(
      target->model, *std::move(change),
      [target = *target, done = std::move(done)](const absl::Status& status) {
        inference::RepositoryModelLoadResponse response;
        if (!status.ok()) {
          done(status);
          return;
        }
        if (target.is_kserve) {
          response.set_model_name(target.model);
          response.set_is_loaded(true);
        }
        done(std::move(response));
      });
}

void InferenceHandlers::RepositoryModelUnload(
    const inference::RepositoryModelUnloadRequest& request,
    std::function<
        void(absl::StatusOr<inference::RepositoryModelUnloadResponse>)>
        done) {
  absl::StatusOr<ControlTarget> target = ReadTarget(request);
  // No model depends on another, so there are none to unload with it.
  const auto dependents = request.parameters().find("unload_dependents");
  if (target.ok() && dependents != request.parameters().end() &&
      !dependents->second.has_bool_param()) {
    target = WrongType(dependents->first, "bool_param");
  }
  if (!target.ok()) {
    done(target.status());
    return;
  }
  repository_.UnloadModel(
      target->model,
      [target = *target, done = std::move(done)](const absl::Status& status) {
        inference::RepositoryModelUnloadResponse response;
        if (!status.ok()) {
          done(status);
          return;
        }
        if (target.is_kserve) {
          response.set_model_name(target.model);
          response.set_is_unloaded(true);
        }
        done(std::move(response));
      });
}

bool InferenceHandlers::ready() const {
  return !shutting_down_.load(std::memory_order_relaxed) &&
         (!strict_readiness_ || repository_.ready());
}

void InferenceHandlers::BeginShutdown() {
  shutting_down_.store(true, std::memory_order_relaxed);
}

}  // namespace relu
