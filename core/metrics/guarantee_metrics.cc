#include "core/metrics/guarantee_metrics.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace relu {
namespace {

void AddCounts(const NonfiniteCounts& found, NonfiniteCounts& counts) {
  counts.nans += found.nans;
  counts.infinities += found.infinities;
  counts.rows += found.rows;
}

}  // namespace

void GuaranteeMetrics::CountInputs(const NonfiniteCounts& found) {
  const MutexLock lock(mu_);
  AddCounts(found, figures_.inputs);
}

void GuaranteeMetrics::CountOutputs(const NonfiniteCounts& found) {
  const MutexLock lock(mu_);
  AddCounts(found, figures_.outputs);
}

void GuaranteeMetrics::DeclareDomain(const std::vector<std::string>& labels) {
  const MutexLock lock(mu_);
  for (const std::string& label : labels) {
    figures_.outside_values.try_emplace(label, 0);
  }
}

void GuaranteeMetrics::CountOutside(std::uint64_t rows,
                                    const std::vector<std::string>& labels,
                                    const std::vector<std::uint64_t>& values) {
  const MutexLock lock(mu_);
  figures_.outside_rows += rows;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] > 0) {
      figures_.outside_values[labels[i]] += values[i];
    }
  }
}

void GuaranteeMetrics::SetCertificate(bool certified, double largest_value) {
  const MutexLock lock(mu_);
  figures_.certified = certified;
  figures_.largest_value = largest_value;
}

GuaranteeFigures GuaranteeMetrics::Read() const {
  const MutexLock lock(mu_);
  return figures_;
}

}  // namespace relu
