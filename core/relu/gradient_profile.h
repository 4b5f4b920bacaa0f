// How large the gradients of a network are at each layer, and how large they
// would be with activations that flatten out.

#ifndef CORE_RELU_GRADIENT_PROFILE_H_
#define CORE_RELU_GRADIENT_PROFILE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"

namespace relu {

// Of one fully connected layer: the length of the gradient of the largest
// element of the network's output by the sums of the layer, its root mean
// square over rows. With `tanh` and `sigmoid`, these stand in the place of
// every activation, with the same weights.
struct GradientProfile {
  std::size_t op = 0;  // Of PiecewiseNetwork::ops.
  double own = 0.0;
  double tanh = 0.0;
  double sigmoid = 0.0;
};

// Of every layer, in order. Of more rows than `most_rows`, so many of them, at
// even distances, are taken. INVALID_ARGUMENT if an index is outside of its
// table.
absl::StatusOr<std::vector<GradientProfile>> ProfileGradients(
    const PiecewiseNetwork& network, const InputRows& rows,
    std::int64_t most_rows = 1000);

}  // namespace relu

#endif  // CORE_RELU_GRADIENT_PROFILE_H_
