// WalkKinks: the exact integral of a network's gradient along a straight line,
// from kink to kink.

#ifndef CORE_RELU_KINK_WALK_H_
#define CORE_RELU_KINK_WALK_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "core/relu/piecewise_network.h"

namespace relu {

struct KinkWalk {
  // The mean of the derivatives along the line, at the leaves; lies like the
  // floats of a row.
  std::vector<double> mean_slopes;
  double start_value = 0.0;
  double end_value = 0.0;
  std::int64_t pieces = 0;  // Of the line: one more than the kinks it crosses.
};

// Of element `element` of the network's output. `start` and `end` are rows of
// network.row_floats whose leaves are set. Computes in double precision with
// the network's float32 weights. RESOURCE_EXHAUSTED if the line has more pieces
// than `max_pieces`.
absl::StatusOr<KinkWalk> WalkKinks(const PiecewiseNetwork& network,
                                   std::span<const float> start,
                                   std::span<const float> end,
                                   std::size_t element,
                                   std::int64_t max_pieces);

}  // namespace relu

#endif  // CORE_RELU_KINK_WALK_H_
