#include "server/inference_handlers.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/plan/compiled_model.h"
#include "core/repository/model.h"
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

}  // namespace

InferenceHandlers::InferenceHandlers(const ModelRepository& repository,
                                     bool strict_readiness)
    : repository_(repository), strict_readiness_(strict_readiness) {}

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
  response.set_ready(model.ok());
  return absl::OkStatus();
}

absl::Status InferenceHandlers::ServerMetadata(
    const inference::ServerMetadataRequest& /*request*/,
    inference::ServerMetadataResponse& response) const {
  response.set_name(kServerName);
  response.set_version(std::string(kServerVersion));
  // Clients take a name in that list as a promise of all of its calls: of
  // Triton's extensions these are whole here.
  response.add_extensions("statistics");
  response.add_extensions("logging");
  return absl::OkStatus();
}

absl::Status InferenceHandlers::ModelMetadata(
    const inference::ModelMetadataRequest& request,
    inference::ModelMetadataResponse& response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Model> model,
                   repository_.Find(request.name(), request.version()));
  const CompiledModel& compiled = model->compiled();
  response.set_name(model->name());
  response.add_versions(std::to_string(model->version()));
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
  if (!request.name().empty()) {
    // So that it is an error if there is none.
    RETURN_IF_ERROR(
        repository_.Find(request.name(), request.version()).status());
  }
  for (const ModelState& state : repository_.Index()) {
    const std::string version = std::to_string(state.version);
    if ((!request.name().empty() && request.name() != state.name) ||
        (!request.version().empty() && request.version() != version)) {
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
    return absl::UnimplementedError(
        fmt::format("repository '{}': 'repository_name' is not supported, "
                    "expected it to be empty",
                    Printable(request.repository_name())));
  }
  for (const ModelState& state : repository_.Index()) {
    if (request.ready() && !state.ready) {
      continue;
    }
    auto& model = *response.add_models();
    model.set_name(state.name);
    if (state.version > 0) {
      model.set_version(std::to_string(state.version));
    }
    model.set_state(state.ready ? "READY" : "UNAVAILABLE");
    model.set_reason(Printable(state.reason, 2000));
  }
  return absl::OkStatus();
}

bool InferenceHandlers::ready() const {
  return !shutting_down_.load(std::memory_order_relaxed) &&
         (!strict_readiness_ || repository_.ready());
}

void InferenceHandlers::BeginShutdown() {
  shutting_down_.store(true, std::memory_order_relaxed);
}

}  // namespace relu
