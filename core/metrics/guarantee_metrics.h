// GuaranteeMetrics: what checks of a model's requests and answers have found,
// and what is proven of the model.

#ifndef CORE_METRICS_GUARANTEE_METRICS_H_
#define CORE_METRICS_GUARANTEE_METRICS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "core/base/mutex.h"

namespace relu {

// Values that are NaN or infinite, and the rows that they are in.
struct NonfiniteCounts {
  std::uint64_t nans = 0;
  std::uint64_t infinities = 0;
  std::uint64_t rows = 0;
};

struct GuaranteeFigures {
  NonfiniteCounts inputs = {};
  NonfiniteCounts outputs = {};
  // Rows with a value outside of the domain, and these values by the elements
  // that the domain names.
  std::uint64_t outside_rows = 0;
  std::map<std::string, std::uint64_t> outside_values = {};
  // Of the overflow certificate; nullopt: nobody wanted one.
  std::optional<bool> certified = std::nullopt;
  double largest_value = 0.0;
};

// Thread-safe. Only what is found is counted, so it need not be fast.
class GuaranteeMetrics {
 public:
  void CountInputs(const NonfiniteCounts& found) ABSL_LOCKS_EXCLUDED(mu_);
  void CountOutputs(const NonfiniteCounts& found) ABSL_LOCKS_EXCLUDED(mu_);

  // The elements that the domain names, so that they are there before there is
  // anything to count.
  void DeclareDomain(const std::vector<std::string>& labels)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Of each label, how many values are outside.
  void CountOutside(std::uint64_t rows, const std::vector<std::string>& labels,
                    const std::vector<std::uint64_t>& values)
      ABSL_LOCKS_EXCLUDED(mu_);

  void SetCertificate(bool certified, double largest_value)
      ABSL_LOCKS_EXCLUDED(mu_);

  GuaranteeFigures Read() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable Mutex mu_;
  GuaranteeFigures figures_ ABSL_GUARDED_BY(mu_);
};

}  // namespace relu

#endif  // CORE_METRICS_GUARANTEE_METRICS_H_
