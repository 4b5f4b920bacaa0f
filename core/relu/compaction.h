// Which neurons of a network can be taken out without changing one bit of an
// answer.

#ifndef CORE_RELU_COMPACTION_H_
#define CORE_RELU_COMPACTION_H_

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/graph/onnx_layers.h"
#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/value_bounds.h"

namespace relu {

// By the node of a layer, or the name of an input: which of its neurons, or
// elements, are zero, whatever the inputs.
using DeadNeurons = std::map<std::string, std::vector<bool>, std::less<>>;

// For all inputs of the box of the bounds: those whose sum never reaches beyond
// the first kink of the activation, which is level there, at zero.
DeadNeurons FindDeadNeurons(const PiecewiseNetwork& network,
                            const ValueBounds& bounds);

// By input: the elements that are zero in all of the box.
DeadNeurons FindZeroInputs(const PiecewiseNetwork& network,
                           const InputBox& box);

// Bounds for all finite inputs, as long as no value overflows. (By intervals:
// there is no more to tell of inputs as wide as these.)
ValueBounds BoundsOfAllInputs(const PiecewiseNetwork& network);

// Of `removable.size()` neurons, computed from `inputs` values and read by
// layers of so many outputs: which to keep, in which order, so that each sum
// that is left has the same bits, if those that are removable add nothing to
// it. Fewest, all that are not removable and at least one. A layer's shape
// decides in which order it adds (core/kernels/kernels.h), so some may have to
// stay:
//   - that of the layer and those that read it keep their layouts;
//   - a narrow reader adds its inputs in 16 chains: each input stays in its
//     chain, for which neurons change places.
// All of them where one reader is narrow and another is not.
std::vector<std::size_t> KeptNeurons(
    const std::vector<bool>& removable, std::size_t inputs,
    std::span<const std::size_t> reader_outputs);

// What was done with one layer.
struct LayerCompaction {
  std::string node;  // Or the input's name.
  bool is_input = false;
  std::size_t neurons = 0;  // Before.
  std::size_t kept = 0;
  std::size_t dead = 0;
  std::size_t unread = 0;  // Not dead, but read by zero weights alone.
  // Why none could be taken out; empty: they could.
  std::string obstacle;

  // That add nothing, but keep others in their places.
  std::size_t held() const { return kept - (neurons - dead - unread); }
};

// Takes out of `layers` what can be, the last layer first: what only neurons
// read that are gone can go, too.
std::vector<LayerCompaction> TakeOutNeurons(const DeadNeurons& dead,
                                            const DeadNeurons& zero_inputs,
                                            OnnxLayers& layers);

}  // namespace relu

#endif  // CORE_RELU_COMPACTION_H_
