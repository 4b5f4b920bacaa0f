// Bounds of sums of a network by linear functions of its inputs: the backward
// pass of CROWN.

#ifndef CORE_RELU_LINEAR_BOUND_H_
#define CORE_RELU_LINEAR_BOUND_H_

#include <cstddef>
#include <vector>

#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"

namespace relu {

// Two lines: where the interval reaches, one is never above the function and
// one never below.
struct Relaxation {
  // In double, since a chord is no float.
  double low_slope = 0.0;
  double low_offset = 0.0;
  double high_slope = 0.0;
  double high_offset = 0.0;
};
Relaxation RelaxationOf(const PiecewiseLinear& function,
                        const Interval& interval);

// Makes the bounds of `slot`, which operation `op` computes, as narrow as the
// linear bounds are. `low` and `high`, by float of a row, hold bounds of all
// values before it.
void TightenByLinearBounds(const PiecewiseNetwork& network, const InputBox& box,
                           const Slot& slot, std::size_t op,
                           std::vector<double>& low, std::vector<double>& high);

}  // namespace relu

#endif  // CORE_RELU_LINEAR_BOUND_H_
