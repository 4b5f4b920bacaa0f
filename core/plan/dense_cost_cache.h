// DenseCostCache: what the layers of networks were measured to cost, for
// networks of the same shapes that are loaded later.

#ifndef CORE_PLAN_DENSE_COST_CACHE_H_
#define CORE_PLAN_DENSE_COST_CACHE_H_

#include <cstddef>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "core/base/mutex.h"
#include "core/kernels/kernels.h"
#include "core/plan/zero_skip.h"

namespace relu {

// A new version of a model, or a copy of it, is measured no more than once, and
// so runs in the same way. Thread-safe.
class DenseCostCache {
 public:
  // MeasureDenseCosts(layers), or what it was for layers of the same shapes.
  std::vector<DenseCosts> CostsOf(std::span<const kernels::PackedDense> layers)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Inputs, outputs and whether the weights are float16, layer by layer.
  using Shapes = std::vector<std::tuple<std::size_t, std::size_t, bool>>;
  // More networks than a server holds; then it starts anew.
  static constexpr std::size_t kMaxNetworks = 1000;

  Mutex mu_;
  std::map<Shapes, std::vector<DenseCosts>> costs_ ABSL_GUARDED_BY(mu_);
};

}  // namespace relu

#endif  // CORE_PLAN_DENSE_COST_CACHE_H_
