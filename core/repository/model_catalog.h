// ModelCatalog: which models there are and which of them are served, as of one
// moment.

#ifndef CORE_REPOSITORY_MODEL_CATALOG_H_
#define CORE_REPOSITORY_MODEL_CATALOG_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/repository/model.h"
#include "core/repository/version_policy.h"

namespace relu {

enum class VersionState : std::uint8_t {
  kNotLoaded,  // Nobody has asked for it.
  kUnloaded,   // It was served until somebody asked not to.
  kLoading,
  kReady,
  kUnavailable,  // It could not be loaded.
};

// Triton's names, as RepositoryIndex has them: "READY", "" for kNotLoaded,
// "UNAVAILABLE" for kUnloaded too.
std::string_view VersionStateName(VersionState state);

// The state of one version of a model, for people and for the index RPC.
struct ModelState {
  std::string name;
  std::int64_t version = 0;  // 0: no version could be found.
  VersionState state = VersionState::kNotLoaded;
  // Why it is not ready; or, if it is, why what is served is not what the
  // repository holds. Else empty.
  std::string reason;

  bool ready() const { return state == VersionState::kReady; }
  // Whether it is to be served, and is or could not be.
  bool wanted() const {
    return state != VersionState::kNotLoaded &&
           state != VersionState::kUnloaded;
  }
};

// All of one model. Immutable.
struct CatalogEntry {
  std::vector<ModelState> states;              // At least one; by version.
  std::vector<std::shared_ptr<Model>> served;  // By version, ascending.
  VersionLabels labels;
  // False: that it is not served is as it should be.
  bool wanted = true;
};

// Immutable, so thread-safe.
class ModelCatalog {
 public:
  using Entries =
      std::map<std::string, std::shared_ptr<const CatalogEntry>, std::less<>>;

  ModelCatalog() = default;
  explicit ModelCatalog(Entries entries) : entries_(std::move(entries)) {}

  // The model to serve a request: `version` is a number, a label, or empty for
  // the highest that is served. nullptr if there is none.
  std::shared_ptr<Model> Find(std::string_view name,
                              std::string_view version) const;

  // Why Find() found nothing, in the words of ModelRepository::Find().
  absl::Status WhyNot(std::string_view name, std::string_view version) const;

  // True if every model that is wanted is served.
  bool ready() const;

  const Entries& entries() const { return entries_; }

 private:
  Entries entries_;  // By model name.
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_CATALOG_H_
