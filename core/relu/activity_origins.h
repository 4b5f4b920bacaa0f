// From neurons whose activity has shifted back through the layers, to the
// elements of the model's inputs that moved them.

#ifndef CORE_RELU_ACTIVITY_ORIGINS_H_
#define CORE_RELU_ACTIVITY_ORIGINS_H_

#include <cstddef>
#include <span>
#include <vector>

#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"

namespace relu {

struct NeuronPlace {
  std::size_t layer = 0;  // Of CompiledModel::activations().
  std::size_t neuron = 0;
};

// A shift is the mean in the window less that in the baseline.
struct NeuronOrigins {
  // What moved the neuron's sum: over all inputs and neurons that it reads, the
  // weight times the shift. 0 of a neuron without weights of its own.
  double sum_shift = 0.0;
  // By element of all inputs: what the sum moves by where the element moves by
  // 1. From layer to layer the weights are multiplied, and of each neuron
  // between with the part of its sum's shift that it has passed on, which is
  // from 0 to 1: a Relu moves no further than its sum, and never against it.
  std::vector<double> slopes;
  // sum_shift less the slopes times the shifts of their elements: what came
  // through other values (embeddings), or was no shift of a mean.
  double remainder = 0.0;
};

// Of each of `neurons`; `window` has rows, counted from the baseline's means.
// Takes a multiply-add for each weight of the model and each neuron, at most.
std::vector<NeuronOrigins> FindOrigins(const CompiledModel& model,
                                       const ActivityBaseline& baseline,
                                       const ActivityCounts& window,
                                       std::span<const NeuronPlace> neurons);

}  // namespace relu

#endif  // CORE_RELU_ACTIVITY_ORIGINS_H_
