// ModelRepository: the folder of models that the server serves.

#ifndef CORE_REPOSITORY_MODEL_REPOSITORY_H_
#define CORE_REPOSITORY_MODEL_REPOSITORY_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/published.h"
#include "core/metrics/metrics.h"
#include "core/repository/loader_queue.h"
#include "core/repository/model.h"
#include "core/repository/model_catalog.h"
#include "core/repository/model_loader.h"
#include "core/repository/model_override.h"
#include "core/repository/repository_options.h"

namespace relu {

class Dispatcher;

// Layouts (as Triton's, plus the single file):
//
//   FOLDER/<model>/<version>/model.onnx   the version policy says which are
//                                         served; by default the highest
//   FOLDER/<model>/config.pbtxt           optional: core/repository/
//                                         model_config.h
//   FOLDER/<model>.onnx                   version 1, without a configuration
//
// A version is a positive integer without leading zeros. Entries whose name
// begins with a dot, other files, and folders in a model that are no version
// are ignored. A model's name is at most 256 bytes of UTF-8. Links are followed
// as long as they stay inside FOLDER.
//
// Thread-safe. One thread of its own loads and frees models; what is served
// changes from one moment to the next, and a model that somebody has found is
// whole until he lets go of it, wherever that is.
class ModelRepository {
 public:
  using Done = absl::AnyInvocable<void(const absl::Status&)>;

  // Loads what is to be served from the start. A model that cannot be loaded is
  // kept with its reason and does not stop the others. Errors: NOT_FOUND or
  // INVALID_ARGUMENT if the folder itself cannot be read.
  static absl::StatusOr<std::unique_ptr<ModelRepository>> Load(
      const RepositoryOptions& options, Metrics& metrics);

  // For Load(): nothing is loaded yet.
  ModelRepository(const RepositoryOptions& options, Metrics& metrics);

  // Waits for the load that is under way. What was found in the repository may
  // outlive it.
  ~ModelRepository();

  ModelRepository(const ModelRepository&) = delete;
  ModelRepository& operator=(const ModelRepository&) = delete;

  // Starts the loader thread: from now on changes are followed, as the control
  // mode says, and commands are done. The listener outlives this object. Once.
  void Start(RepositoryListener listener = {});

  // The model to serve a request. `version` is a number, a label of
  // config.pbtxt, or empty for the highest that is served. Errors:
  //   INVALID_ARGUMENT  the version is neither a positive integer nor a label
  //   NOT_FOUND         no model of this name, or not in this version
  //   UNAVAILABLE       it is known but not served: not loaded, or it could not
  //                     be
  absl::StatusOr<std::shared_ptr<Model>> Find(std::string_view name,
                                              std::string_view version) const;

  // Every version of every model that is known, by name.
  std::vector<ModelState> Index() const;

  // Shares the threads among the models.
  Dispatcher& dispatcher() const { return *options_.dispatcher; }

  // The versions of a model that are served, ascending.
  std::vector<std::int64_t> ServedVersions(std::string_view name) const;

  // True if every model that is to be served is.
  bool ready() const;

  // Loads a model, or loads it again if it has changed; `done` is called when
  // it is served, by the loader thread. What is served goes on until the new
  // model is ready, and if it cannot be loaded. Errors: UNAVAILABLE if the mode
  // is not kExplicit or the server is shutting down, or if the files do not
  // stop changing; RESOURCE_EXHAUSTED if too many loads wait; those of
  // ModelLoader::Load().
  void LoadModel(std::string name, ModelOverride change, Done done);

  // Takes a model out of service; requests that have found it are answered. A
  // model that is not served, or that there is not, is no error. Errors as
  // above.
  void UnloadModel(std::string name, Done done);

  // Loads and unloads nothing any more; loads that wait are refused. Does not
  // wait for the one that is under way.
  void StopLoading();

  // Ends the loader thread, with StopLoading(), and waits for the load that is
  // under way. Then refuses new requests to every model and waits for those
  // accepted.
  void Drain();

 private:
  // A load whose files have not settled.
  struct Waiting {
    ControlCommand command;
    std::chrono::steady_clock::time_point since;
    std::chrono::steady_clock::time_point look_at;
  };

  void Join();
  void Push(ControlCommand command);
  // The loader thread.
  void Loop();
  std::chrono::steady_clock::time_point NextLook() const;
  void Run(ControlCommand command);
  // Refuses the load of `model` that waits for its files, if there is one.
  void EndWaiting(std::string_view model, std::string_view reason);
  // True if the command is done.
  bool TryLoad(Waiting& waiting);

  const RepositoryOptions options_;
  Published<ModelCatalog> catalog_;
  // Shared with the models that were found: they go there when they end.
  const std::shared_ptr<LoaderQueue> queue_;
  ModelLoader loader_;  // The loader thread's, once there is one.
  // The loader thread's.
  std::vector<Waiting> waiting_;
  std::chrono::steady_clock::time_point next_poll_;
  std::thread thread_;
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_REPOSITORY_H_
