// ServedModels: all models that are known, by name, and the catalog of them.

#ifndef CORE_REPOSITORY_SERVED_MODELS_H_
#define CORE_REPOSITORY_SERVED_MODELS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/published.h"
#include "core/metrics/metrics.h"
#include "core/repository/model_catalog.h"
#include "core/repository/model_versions.h"
#include "core/repository/repository_options.h"
#include "core/repository/repository_scan.h"
#include "core/repository/version_loader.h"

namespace relu {

// Publishes each change in the catalog, notes it in the metrics and tells the
// listener. For one thread, the loader's.
class ServedModels final : private ModelVersions::Loader {
 public:
  // All of these outlive this object.
  ServedModels(VersionLoader& loader, Metrics& metrics,
               Published<ModelCatalog>& catalog);

  void Listen(RepositoryListener listener) { listener_ = std::move(listener); }

  // Changes are published from now on, those from before at once.
  void Publish();

  // See ModelVersions::Update().
  absl::Status Update(const ModelSource& source, ModelVersions::Retry retry);

  // Makes the model known, and serves it no more.
  void Unload(const std::string& name);

  // The model is not known any more, and not served.
  void Forget(const std::string& name);

  // nullptr if it is not known.
  const CatalogEntry* Find(const std::string& name) const;
  std::vector<std::string> names() const;

  void Tell(const RepositoryEvent& event) const;

 private:
  absl::StatusOr<std::shared_ptr<Model>> Load(
      const ModelSource& source, const VersionSource& version) override;
  void OnBadSource(const ModelSource& source) override;
  void OnChange() override;

  // nullptr: there is none any more.
  void SetEntry(const std::string& name,
                std::shared_ptr<const CatalogEntry> entry);

  VersionLoader& loader_;
  Metrics& metrics_;
  Published<ModelCatalog>& catalog_;
  RepositoryListener listener_;
  bool publishes_ = false;
  std::map<std::string, ModelVersions, std::less<>> models_;
  ModelCatalog::Entries entries_;
  std::string updating_;  // The model of Update().
};

}  // namespace relu

#endif  // CORE_REPOSITORY_SERVED_MODELS_H_
