// ModelVersions: the versions of one model, and how they follow what the
// repository holds.

#ifndef CORE_REPOSITORY_MODEL_VERSIONS_H_
#define CORE_REPOSITORY_MODEL_VERSIONS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/repository/file_stamp.h"
#include "core/repository/model.h"
#include "core/repository/model_catalog.h"
#include "core/repository/repository_scan.h"
#include "core/repository/version_policy.h"

namespace relu {

// The rules:
//   - A version is loaded when the policy selects it, and again when its files
//     or its settings change. What it was before is served until then.
//   - What cannot be loaded changes nothing of what is served: neither the same
//     version as it was, nor the versions that the policy has left behind, nor
//     the labels. The catalog says why.
//   - So versions that the policy has left behind go when all that it selects
//     are served.
// For one thread.
class ModelVersions {
 public:
  // What Update() needs of others.
  class Loader {
   public:
    virtual absl::StatusOr<std::shared_ptr<Model>> Load(
        const ModelSource& source, const VersionSource& version) = 0;
    // The source as a whole is bad, in another way than at the last update.
    virtual void OnBadSource(const ModelSource& source) = 0;
    // entry() may have changed.
    virtual void OnChange() = 0;

   protected:
    ~Loader() = default;
  };

  // Whether what has failed is tried again although no file has changed.
  enum class Retry : std::uint8_t {
    kNow,
    // If the files need not be the reason: at the 2nd, 4th, ... update.
    kSeldom,
  };

  explicit ModelVersions(std::string name) : name_(std::move(name)) {}

  // Follows `source`. Returns the first error, also that of a try before if it
  // is not repeated.
  absl::Status Update(const ModelSource& source, Retry retry, Loader& loader);

  // Serves nothing any more, and has not failed either: what was served is
  // unloaded. Requests that hold a model keep it.
  void Unload();

  // What the catalog says.
  CatalogEntry entry() const;

 private:
  // What a version is loaded from.
  struct Origin {
    FileStamp files;
    std::string settings;  // LoadKey() of the configuration.

    friend bool operator==(const Origin&, const Origin&) = default;
  };
  struct Version {
    std::shared_ptr<Model> model;  // nullptr: none could be loaded.
    Origin model_origin;
    bool loading = false;
    // Of the last try to load something else than `model`.
    absl::Status failure;
    Origin failure_origin;
    int failures = 0;  // Of this origin, one after the other.
    int updates_to_skip = 0;
  };

  static bool ShouldLoad(Version& version, const Origin& origin, Retry retry);
  absl::Status UpdateVersion(const ModelSource& source,
                             const VersionSource& version_source,
                             const Origin& origin, Retry retry, Loader& loader);
  absl::Status RefuseSource(const ModelSource& source, Loader& loader);
  // Forgets the versions of which there is no model.
  void DropFailed();

  const std::string name_;
  bool wanted_ = false;
  std::map<std::int64_t, Version> versions_;
  std::vector<std::int64_t> unloaded_;  // Those that Unload() found served.
  VersionLabels labels_;
  absl::Status source_status_;  // Of the last update.
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_VERSIONS_H_
