// ActivationLayer: an activation of a plan whose values can be looked at while
// it runs, and what its neurons are computed from.

#ifndef CORE_PLAN_ACTIVATION_LAYERS_H_
#define CORE_PLAN_ACTIVATION_LAYERS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/dense_layer.h"
#include "core/plan/graph_uses.h"

namespace relu {

// Some of what a fully connected layer reads, in its order.
struct LayerSource {
  enum class Kind : std::uint8_t {
    kInput,  // Elements of an input of the model.
    kLayer,  // Neurons of an activation layer.
    kOther,  // Something else.
  };
  Kind kind = Kind::kOther;
  std::size_t index = 0;  // Of the input or layer.
  std::size_t first = 0;  // Its first element that is read.
  std::size_t count = 0;
};

struct ActivationLayer {
  // Of the node that is the activation; different for each layer.
  std::string name;
  std::string function;  // "Relu", "Clip", ...
  std::size_t neurons = 0;
  // A neuron is on where its value is above this.
  float on_above = 0.0F;
  // It is at its upper bound from this on.
  float saturated_from = std::numeric_limits<float>::infinity();
  // The layer that the activation stands behind, which belongs to the plan;
  // nullptr: none, or one of several vectors a row.
  const kernels::PackedDense* weights = nullptr;
  // What that layer reads, all weights->k of it.
  std::vector<LayerSource> sources;

  // Where its values are, for the plan: after which step, in which buffer.
  std::size_t step = 0;
  std::size_t buffer = 0;
};

// Finds them while a graph is lowered, node by node in the order of execution.
// For one thread.
class ActivationLayerFinder {
 public:
  // Both outlive the finder.
  ActivationLayerFinder(const Graph& graph, const GraphUses& uses)
      : graph_(graph), uses_(uses) {}

  // A dense layer was lowered to the step of this number, into `buffer`;
  // `weights` stays where it is.
  void AddDense(const DenseLayer& layer, const kernels::PackedDense& weights,
                std::size_t step, std::size_t buffer);

  // A node of its own was. Does nothing if it is no activation.
  void AddNode(const Node& node, std::size_t step, std::size_t buffer);

  // All, in order.
  std::vector<ActivationLayer> Take();

 private:
  struct Dense {
    const kernels::PackedDense* weights = nullptr;
    ValueId input = kNoValue;
  };

  void Add(const Node& node, ValueId value, std::size_t step,
           std::size_t buffer);
  void AddSources(ValueId value, std::vector<LayerSource>& sources) const;

  const Graph& graph_;
  const GraphUses& uses_;
  std::vector<ActivationLayer> layers_;
  std::map<ValueId, std::size_t> layer_of_value_;
  std::map<ValueId, Dense> dense_of_value_;  // By what it computes.
};

}  // namespace relu

#endif  // CORE_PLAN_ACTIVATION_LAYERS_H_
