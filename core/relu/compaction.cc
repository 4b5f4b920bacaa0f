#include "core/relu/compaction.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/graph/onnx_layers.h"
#include "core/kernels/kernels.h"
#include "core/relu/dense_op.h"
#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/value_bounds.h"

namespace relu {
namespace {

using kernels::Layout;
using kernels::LayoutOf;

constexpr std::size_t kChains = kernels::kNarrowChains;

bool IsDead(const PiecewiseLinear& function, double highest) {
  return function.kinks > 0 && function.pieces[0].slope == 0.0F &&
         function.pieces[0].offset == 0.0F &&
         highest <= double{function.kink_at[0]};
}

// Indices of neurons that must stay, by the chain of a narrow reader.
using Chains = std::array<std::vector<std::size_t>, kChains>;

Chains ChainsOf(const std::vector<bool>& removable) {
  Chains chains;
  for (std::size_t i = 0; i < removable.size(); ++i) {
    if (!removable[i]) {
      chains[i % kChains].push_back(i);
    }
  }
  return chains;
}

// How many of `count` inputs are of this chain.
std::size_t ChainLength(std::size_t count, std::size_t chain) {
  return (count + kChains - 1 - chain) / kChains;
}

bool Fit(const Chains& chains, std::size_t count) {
  for (std::size_t chain = 0; chain < kChains; ++chain) {
    if (chains[chain].size() > ChainLength(count, chain)) {
      return false;
    }
  }
  return true;
}

// Each chain's own, then removable ones where it is too short.
std::vector<std::size_t> ChainedOrder(const Chains& chains,
                                      const std::vector<bool>& removable,
                                      std::size_t count) {
  std::vector<std::size_t> order(count);
  std::size_t spare = 0;  // The next that may be removable.
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::size_t>& chain = chains[i % kChains];
    if (i / kChains < chain.size()) {
      order[i] = chain[i / kChains];
      continue;
    }
    while (!removable[spare]) {
      ++spare;
    }
    order[i] = spare++;
  }
  return order;
}

// All that must stay and the first of the others, in their order.
std::vector<std::size_t> AscendingOrder(const std::vector<bool>& removable,
                                        std::size_t count) {
  auto spare =
      count - static_cast<std::size_t>(std::ranges::count(removable, false));
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < removable.size(); ++i) {
    if (!removable[i]) {
      order.push_back(i);
    } else if (spare > 0) {
      order.push_back(i);
      --spare;
    }
  }
  return order;
}

}  // namespace

DeadNeurons FindDeadNeurons(const PiecewiseNetwork& network,
                            const ValueBounds& bounds) {
  DeadNeurons dead;
  for (const Op& any : network.ops) {
    const auto* const op = std::get_if<ActivationOp>(&any);
    if (op == nullptr || op->layer == ActivationOp::kNone) {
      continue;
    }
    std::vector<bool>& neurons =
        dead[std::get<DenseOp>(network.ops[op->layer]).node];
    neurons.resize(op->input.size);
    for (std::size_t i = 0; i < op->input.size; ++i) {
      neurons[i] =
          IsDead(op->function(i), bounds.Highest(op->input.offset + i));
    }
  }
  return dead;
}

DeadNeurons FindZeroInputs(const PiecewiseNetwork& network,
                           const InputBox& box) {
  DeadNeurons zeros;
  for (const NetworkInput& input : network.inputs) {
    std::vector<bool>& elements = zeros[input.name];
    for (std::size_t i = 0; i < input.elements; ++i) {
      const std::size_t at = input.first_element + i;
      elements.push_back(box.low[at] == 0.0 && box.high[at] == 0.0);
    }
  }
  return zeros;
}

ValueBounds BoundsOfAllInputs(const PiecewiseNetwork& network) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  return IntervalBounds(
      network, {.low = std::vector<double>(network.input_elements, -kLargest),
                .high = std::vector<double>(network.input_elements, kLargest)});
}

std::vector<std::size_t> KeptNeurons(
    const std::vector<bool>& removable, std::size_t inputs,
    std::span<const std::size_t> reader_outputs) {
  const std::size_t neurons = removable.size();
  const auto is_narrow = [&](std::size_t outputs) {
    return LayoutOf(neurons, outputs) == Layout::kNarrow;
  };
  const bool narrow = std::ranges::any_of(reader_outputs, is_narrow);
  const bool same_order =
      !narrow || std::ranges::all_of(reader_outputs, is_narrow);
  const Chains chains = ChainsOf(removable);
  const auto keeps_bits = [&](std::size_t count) {
    return same_order && (!narrow || Fit(chains, count)) &&
           LayoutOf(inputs, count) == LayoutOf(inputs, neurons) &&
           std::ranges::all_of(reader_outputs, [&](std::size_t outputs) {
             return LayoutOf(count, outputs) == LayoutOf(neurons, outputs);
           });
  };
  auto count = static_cast<std::size_t>(std::ranges::count(removable, false));
  count = std::max<std::size_t>(count, 1);
  while (count < neurons && !keeps_bits(count)) {
    ++count;
  }
  return narrow && count < neurons ? ChainedOrder(chains, removable, count)
                                   : AscendingOrder(removable, count);
}

std::vector<LayerCompaction> TakeOutNeurons(const DeadNeurons& dead,
                                            const DeadNeurons& zero_inputs,
                                            OnnxLayers& layers) {
  std::vector<LayerCompaction> done(layers.size());
  for (std::size_t i = layers.size(); i-- > 0;) {
    const HiddenLayer& layer = layers.layer(i);
    LayerCompaction& result = done[i];
    result = {.node = layer.node,
              .is_input = layer.is_input,
              .neurons = layer.neurons,
              .kept = layer.neurons,
              .obstacle = layer.obstacle};
    if (!layer.obstacle.empty()) {
      continue;
    }
    const DeadNeurons& known = layer.is_input ? zero_inputs : dead;
    const auto found = known.find(layer.node);
    std::vector<bool> removable(layer.neurons);
    if (found != known.end() && found->second.size() == layer.neurons) {
      removable = found->second;
    }
    const std::vector<bool> unread = layers.Unread(i);
    result.dead = static_cast<std::size_t>(std::ranges::count(removable, true));
    for (std::size_t j = 0; j < unread.size(); ++j) {
      result.unread += unread[j] && !removable[j] ? 1U : 0U;
      removable[j] = removable[j] || unread[j];
    }
    const std::vector<std::size_t> kept =
        KeptNeurons(removable, layer.inputs, layer.reader_outputs);
    result.kept = kept.size();
    if (kept.size() < layer.neurons) {
      layers.Keep(i, kept);
    }
  }
  return done;
}

}  // namespace relu
