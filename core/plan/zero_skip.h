// ZeroSkipLimits: up to how many inputs a dense layer is computed faster by
// listing those that are not zero and walking their weights alone.

#ifndef CORE_PLAN_ZERO_SKIP_H_
#define CORE_PLAN_ZERO_SKIP_H_

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "core/kernels/kernels.h"

namespace relu {

// What each way takes for one layer, in nanoseconds.
struct DenseCosts {
  // By rows: 1, 2, 4, 8 and 16 of them.
  static constexpr std::size_t kSizes = 5;
  std::array<double, kSizes> dense{};
  // To count the inputs that are not zero in one row.
  double count_row = 0;
  // Where zeros are skipped, by the inputs that are not zero: so many eighths
  // of all. One row alone, and one of several. Infinite for a layer that cannot
  // skip them.
  static constexpr std::array<std::size_t, 3> kEighths = {1, 4, 8};
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  using Sparse = std::array<double, kEighths.size()>;
  Sparse sparse_alone = {kNever, kNever, kNever};
  Sparse sparse_of_several = {kNever, kNever, kNever};
};

// What one row of a layer of `k` inputs takes with its zeros skipped, by lines
// through what was measured, if `entries` inputs are not zero.
double SparseCost(const DenseCosts& costs, std::size_t k, std::size_t entries);

// Immutable, so thread-safe.
class ZeroSkipLimits {
 public:
  static ZeroSkipLimits Never();
  static ZeroSkipLimits Always();
  // For a layer of `k` inputs.
  static ZeroSkipLimits FromCosts(const DenseCosts& costs, std::size_t k);

  // The most inputs that are not zero, in all of `rows` >= 1 rows together,
  // with which it is better to skip the others; 0: never, and not worth a look.
  // If it is 0 for one row, it is for any number.
  std::size_t MaxEntries(std::size_t rows) const;

  // Whether each of several rows is better computed as if it were alone. Large
  // weights are: a row alone reads them in the order in which they lie.
  bool OneByOne() const { return one_by_one_; }

 private:
  // By rows, 0 to 16. More rows cost in proportion.
  static constexpr std::size_t kMostRows = 16;
  std::array<std::size_t, kMostRows + 1> max_entries_{};
  bool one_by_one_ = false;
};

// Times the layers of a network one after the other, as they run: so that each
// finds the caches as it will. Takes two passes, and more for a few
// milliseconds.
std::vector<DenseCosts> MeasureDenseCosts(
    std::span<const kernels::PackedDense> layers);

}  // namespace relu

#endif  // CORE_PLAN_ZERO_SKIP_H_
