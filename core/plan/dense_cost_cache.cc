#include "core/plan/dense_cost_cache.h"

#include <span>
#include <vector>

#include "core/base/mutex.h"
#include "core/kernels/kernels.h"
#include "core/plan/zero_skip.h"

namespace relu {

std::vector<DenseCosts> DenseCostCache::CostsOf(
    std::span<const kernels::PackedDense> layers) {
  Shapes shapes;
  for (const kernels::PackedDense& layer : layers) {
    shapes.emplace_back(layer.k, layer.n, layer.half_weights != nullptr);
  }
  {
    const MutexLock lock(mu_);
    const auto known = costs_.find(shapes);
    if (known != costs_.end()) {
      return known->second;
    }
  }
  // Two models of the same shapes that are loaded at the same time are both
  // measured: the second uses what the first was.
  const std::vector<DenseCosts> measured = MeasureDenseCosts(layers);
  const MutexLock lock(mu_);
  if (costs_.size() >= kMaxNetworks) {
    costs_.clear();
  }
  return costs_.try_emplace(shapes, measured).first->second;
}

}  // namespace relu
