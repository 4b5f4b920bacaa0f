// VersionLoader: loads versions of models within the memory budget, and frees
// them when their last request has ended.

#ifndef CORE_REPOSITORY_VERSION_LOADER_H_
#define CORE_REPOSITORY_VERSION_LOADER_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/metrics/metrics.h"
#include "core/plan/dense_cost_cache.h"
#include "core/repository/loader_queue.h"
#include "core/repository/model.h"
#include "core/repository/repository_options.h"
#include "core/repository/repository_scan.h"

namespace relu {

// For one thread, the loader's.
class VersionLoader {
 public:
  // `metrics` and the team of `options` outlive the loader and what it loads.
  VersionLoader(const RepositoryOptions& options, Metrics& metrics,
                std::shared_ptr<LoaderQueue> queue);

  // Loads a version and counts the load. Whoever drops the last pointer to the
  // model, on any thread, sends it to the queue, from where it comes to Free().
  // Errors:
  //   those of Model::Load and of the version's own status
  //   RESOURCE_EXHAUSTED  it does not fit the budget, with the numbers
  //   UNAVAILABLE         its files changed while they were read
  absl::StatusOr<std::shared_ptr<Model>> Load(const ModelSource& source,
                                              const VersionSource& version);

  // Frees models that no request holds any more.
  void Free(std::vector<std::unique_ptr<Model>> retired);

  // By all models that have been loaded and not been freed.
  std::size_t used_bytes() const { return used_bytes_; }

 private:
  absl::StatusOr<std::unique_ptr<Model>> LoadWithinBudget(
      const ModelSource& source, const VersionSource& version);

  const RepositoryOptions options_;
  Metrics& metrics_;
  const std::shared_ptr<LoaderQueue> queue_;
  DenseCostCache costs_;
  std::size_t used_bytes_ = 0;
};

}  // namespace relu

#endif  // CORE_REPOSITORY_VERSION_LOADER_H_
