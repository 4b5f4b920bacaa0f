// Intervals of a network's leaves, for inputs of a box, and of functions of
// intervals.

#ifndef CORE_RELU_LEAF_BOX_H_
#define CORE_RELU_LEAF_BOX_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/relu/interval.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"

namespace relu {

// Of neighbouring elements of one input one is 1 and all others are 0.
struct OneHotGroup {
  std::size_t first = 0;
  std::size_t size = 0;
};

// What the elements of all inputs may be.
struct InputBox {
  std::vector<double> low;
  std::vector<double> high;
  // Elements that depend on each other, ascending; their bounds are 0 and 1.
  std::vector<OneHotGroup> one_hot = {};
};

// The groups that are floats of a leaf, counted within it, ascending.
std::vector<OneHotGroup> GroupsOf(const Leaf& leaf, const InputBox& box);

// Of float i of a leaf.
Interval LeafInterval(const Leaf& leaf, std::size_t i, const InputBox& box);

// The entries of the table of a lookup, first to last, that source `source`
// may choose. All of them if the box reaches beyond the table.
struct Entries {
  std::size_t first = 0;
  std::size_t last = 0;
};
Entries EntriesOf(const Leaf& leaf, std::size_t source, const InputBox& box);

// All values of the function on an interval.
Interval ImageOf(const PiecewiseLinear& function, const Interval& interval);

}  // namespace relu

#endif  // CORE_RELU_LEAF_BOX_H_
