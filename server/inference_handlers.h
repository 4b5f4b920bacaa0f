// InferenceHandlers: the answers of the V2 service to everything but
// inference, free of any transport.

#ifndef SERVER_INFERENCE_HANDLERS_H_
#define SERVER_INFERENCE_HANDLERS_H_

#include <atomic>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/repository/model_repository.h"

namespace inference {
class ModelConfigRequest;
class ModelConfigResponse;
class ModelMetadataRequest;
class ModelMetadataResponse;
class ModelReadyRequest;
class ModelReadyResponse;
class ModelStatisticsRequest;
class ModelStatisticsResponse;
class RepositoryIndexRequest;
class RepositoryIndexResponse;
class RepositoryModelLoadRequest;
class RepositoryModelLoadResponse;
class RepositoryModelUnloadRequest;
class RepositoryModelUnloadResponse;
class ServerLiveRequest;
class ServerLiveResponse;
class ServerMetadataRequest;
class ServerMetadataResponse;
class ServerReadyRequest;
class ServerReadyResponse;
}  // namespace inference

namespace relu {

// Thread-safe. Each fills an empty response.
class InferenceHandlers {
 public:
  // `repository` outlives the handlers. Strict: the server is ready only if
  // every model is. `shared_memory`: tensors may be in system shared memory.
  InferenceHandlers(ModelRepository& repository, bool strict_readiness,
                    bool shared_memory = false);

  absl::Status ServerLive(const inference::ServerLiveRequest& request,
                          inference::ServerLiveResponse& response) const;

  absl::Status ServerReady(const inference::ServerReadyRequest& request,
                           inference::ServerReadyResponse& response) const;

  // As Triton: a model that is unknown or could not be loaded is not ready,
  // which is an answer and no error. INVALID_ARGUMENT if the version is not a
  // positive integer.
  absl::Status ModelReady(const inference::ModelReadyRequest& request,
                          inference::ModelReadyResponse& response) const;

  absl::Status ServerMetadata(
      const inference::ServerMetadataRequest& request,
      inference::ServerMetadataResponse& response) const;

  // Errors: those of ModelRepository::Find.
  absl::Status ModelMetadata(const inference::ModelMetadataRequest& request,
                             inference::ModelMetadataResponse& response) const;

  // The configuration that a model runs with. Errors: those of
  // ModelRepository::Find.
  absl::Status ModelConfig(const inference::ModelConfigRequest& request,
                           inference::ModelConfigResponse& response) const;

  // The statistics of one version, of all versions of a model, or of all models
  // that are served. Errors: those of ModelRepository::Find, if a model is
  // named.
  absl::Status ModelStatistics(
      const inference::ModelStatisticsRequest& request,
      inference::ModelStatisticsResponse& response) const;

  // UNIMPLEMENTED if a repository is named: there is one.
  absl::Status RepositoryIndex(
      const inference::RepositoryIndexRequest& request,
      inference::RepositoryIndexResponse& response) const;

  // Take requests in Triton's form and in KServe's. `done` gets the response or
  // an error, exactly once and from any thread. Errors: UNIMPLEMENTED if a
  // repository is named beside the model; INVALID_ARGUMENT for a parameter that
  // there is not or that has another type; those of ModelRepository.
  void RepositoryModelLoad(
      const inference::RepositoryModelLoadRequest& request,
      std::function<
          void(absl::StatusOr<inference::RepositoryModelLoadResponse>)>
          done);
  void RepositoryModelUnload(
      const inference::RepositoryModelUnloadRequest& request,
      std::function<
          void(absl::StatusOr<inference::RepositoryModelUnloadResponse>)>
          done);

  ModelRepository& repository() const { return repository_; }

  // The server can serve what it promised, and is not about to stop.
  bool ready() const;

  // From now on the server is not ready.
  void BeginShutdown();

 private:
  ModelRepository& repository_;
  const bool strict_readiness_;
  const bool shared_memory_;
  // A hint to clients: nothing else is published through it, so relaxed order
  // is enough.
  std::atomic<bool> shutting_down_ = false;
};

}  // namespace relu

#endif  // SERVER_INFERENCE_HANDLERS_H_
