#include "core/relu/drift_thresholds.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace relu {
namespace {

bool PassesAny(const std::vector<double>& scores,
               const std::vector<double>& thresholds) {
  for (std::size_t s = 0; s < scores.size(); ++s) {
    if (scores[s] > thresholds[s]) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<double> JointThresholds(
    const std::vector<std::vector<double>>& scores, std::size_t most) {
  const std::size_t count = scores[0].size();
  std::vector<std::vector<double>> sorted(count);
  for (std::size_t s = 0; s < count; ++s) {
    for (const std::vector<double>& window : scores) {
      sorted[s].push_back(window[s]);
    }
    std::ranges::sort(sorted[s], std::greater());
  }
  std::vector<double> thresholds(count);
  for (std::size_t above = 0; above < scores.size(); ++above) {
    std::vector<double> lower(count);
    for (std::size_t s = 0; s < count; ++s) {
      lower[s] = sorted[s][above];
    }
    const auto passing =
        std::ranges::count_if(scores, [&](const std::vector<double>& window) {
          return PassesAny(window, lower);
        });
    if (static_cast<std::size_t>(passing) > most) {
      break;
    }
    thresholds = std::move(lower);
  }
  return thresholds;
}

}  // namespace relu
