// What the weights of a network's layers say of it, and what its activations do
// on given rows.

#ifndef CORE_RELU_LAYER_PROFILE_H_
#define CORE_RELU_LAYER_PROFILE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"

namespace relu {

// Of one fully connected layer.
struct LayerProfile {
  std::size_t op = 0;  // Of PiecewiseNetwork::ops.
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  // Root mean square of the weights times sqrt(inputs / 2): with 1 (He's
  // initialisation) signals keep their size through a Relu, below they vanish
  // with depth, above they explode.
  double gain = 0.0;
  // The largest singular value: how much longer the layer makes a vector, at
  // most.
  double spectral_norm = 0.0;
  std::int64_t zero_weights = 0;
};

// Of every layer, in order.
std::vector<LayerProfile> ProfileLayers(const PiecewiseNetwork& network);

// Of one activation, over rows. It is on where it is beyond its first kink: a
// Relu where it is above 0.
struct ActivationProfile {
  std::size_t op = 0;  // Of PiecewiseNetwork::ops.
  std::size_t neurons = 0;
  std::int64_t rows = 0;
  double largest_input = 0.0;  // By size.
  double zeros = 0.0;          // The part of the outputs that is 0.
  // By neuron: in how many rows it was on.
  std::vector<std::int64_t> on;

  // That were never on, and that always were.
  std::int64_t dead() const;
  std::int64_t always_on() const;
};

// Of every activation, in order. INVALID_ARGUMENT if an index is outside of its
// table.
absl::StatusOr<std::vector<ActivationProfile>> ProfileActivations(
    const PiecewiseNetwork& network, const InputRows& rows);

}  // namespace relu

#endif  // CORE_RELU_LAYER_PROFILE_H_
