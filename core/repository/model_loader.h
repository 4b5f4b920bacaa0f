// ModelLoader: brings what is served to what the model repository and the
// clients that control it say.

#ifndef CORE_REPOSITORY_MODEL_LOADER_H_
#define CORE_REPOSITORY_MODEL_LOADER_H_

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/published.h"
#include "core/metrics/metrics.h"
#include "core/repository/loader_queue.h"
#include "core/repository/model_catalog.h"
#include "core/repository/model_override.h"
#include "core/repository/repository_options.h"
#include "core/repository/repository_scan.h"
#include "core/repository/served_models.h"
#include "core/repository/settle_watch.h"
#include "core/repository/version_loader.h"

namespace relu {

// For one thread at a time: the one that starts the server, then the loader's.
class ModelLoader {
 public:
  // All of these outlive the loader. Models that end go to `queue`.
  ModelLoader(const RepositoryOptions& options, Metrics& metrics,
              Published<ModelCatalog>& catalog,
              std::shared_ptr<LoaderQueue> queue);

  void Listen(RepositoryListener listener);

  // Loads what is to be served from the start, and waits until the files of
  // those models have settled, within reason. A model that cannot be loaded
  // does not stop the others. NOT_FOUND or INVALID_ARGUMENT if the folder
  // cannot be read.
  absl::Status Start();

  // Looks at the folder. With kPoll what is served follows it, with kExplicit
  // only the names of what could be loaded. Returns after which time to look
  // again.
  std::chrono::milliseconds Poll();

  // Loads a model, or loads it again if files or settings have changed. nullopt
  // if its files have not settled: ask again after `retry_after`. Errors, in
  // Triton's words where it has some: those of ScanModel, Model::Load,
  // ParseModelConfigJson and OverrideFolder; RESOURCE_EXHAUSTED beyond a limit.
  std::optional<absl::Status> Load(const std::string& name,
                                   const ModelOverride& change,
                                   std::chrono::milliseconds& retry_after);

  // A model that is not served, or that there is not, is no error.
  void Unload(const std::string& name);

  // Frees models that no request holds any more.
  void Free(std::vector<std::unique_ptr<Model>> retired);

 private:
  absl::StatusOr<std::vector<ModelSource>> ScanAtStart() const;
  absl::Status LoadFiles(const std::string& name, const ModelOverride& change);
  void ListModels();
  std::chrono::milliseconds UnloadOthers(const std::set<std::string>& found);
  void ForgetIfUnknown(const std::string& name);
  std::chrono::milliseconds Look(const std::string& name,
                                 const FileStamp& stamp);
  bool NoteLook(const absl::Status& status);

  const RepositoryOptions options_;
  VersionLoader versions_;
  ServedModels models_;
  SettleWatch settle_watch_;
  absl::Status last_look_;
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_LOADER_H_
