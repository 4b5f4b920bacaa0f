// Proven bounds of every value of a network, as float32 computes it, for all
// inputs of a box; also if values are stored as float16 between operations.

#ifndef CORE_RELU_VALUE_BOUNDS_H_
#define CORE_RELU_VALUE_BOUNDS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"

#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"

namespace relu {

// From the smallest to the largest that each element is in `rows`.
InputBox BoxOf(const PiecewiseNetwork& network, const InputRows& rows);

// INVALID_ARGUMENT unless low <= high for each element of the inputs, all of
// them finite.
absl::Status CheckBox(const PiecewiseNetwork& network, const InputBox& box);

// How values are stored between operations: inputs, entries of tables, sums,
// what activations make of them. Weights are float32, and sums are taken in it.
enum class ValueStorage : std::uint8_t {
  kFloat32,
  // Each value is rounded to the nearest float16, or some are: both is covered.
  kFloat16,
};

// By float of a row of the network.
struct ValueBounds {
  // Of the network in real arithmetic.
  std::vector<double> low;
  std::vector<double> high;
  // How far float32 is from that, at most, whatever the order of its sums, and
  // with the rounding of values that are stored as float16.
  std::vector<double> error;
  // No sum of a layer, and no part of one, is larger than that in size.
  double largest_sum = 0.0;
  // The same of all values, before they are rounded to be stored.
  double largest_value = 0.0;

  double Lowest(std::size_t at) const { return low[at] - error[at]; }
  double Highest(std::size_t at) const { return high[at] + error[at]; }
};

// With these no value becomes infinite or NaN: in float32, and if values are
// stored as float16, as the bounds must be for.
bool FitsFloat32(const ValueBounds& bounds);
bool FitsFloat16(const ValueBounds& bounds);

// What rounds to the largest float16, 65504, and no further, is below this.
inline constexpr double kFloat16Limit = 65520.0;

// Interval bound propagation: quick, and wide after a few layers. The box has
// passed CheckBox().
ValueBounds IntervalBounds(const PiecewiseNetwork& network, const InputBox& box,
                           ValueStorage storage = ValueStorage::kFloat32);

// CROWN (Zhang et al., 2018): each sum is bounded by linear functions of the
// inputs, and that by the intervals; never wider. Takes about as many
// multiply-adds as the square of those of the network over its widths.
ValueBounds LinearBounds(const PiecewiseNetwork& network, const InputBox& box,
                         ValueStorage storage = ValueStorage::kFloat32);

}  // namespace relu

#endif  // CORE_RELU_VALUE_BOUNDS_H_
