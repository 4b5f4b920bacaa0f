#include "core/plan/activation_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/dense_layer.h"
#include "core/plan/storage.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

// Between which values a neuron is neither off nor saturated; nullopt for
// operators that are no activations.
struct ActiveRange {
  float on_above = 0.0F;
  float saturated_from = std::numeric_limits<float>::infinity();
};

std::optional<ActiveRange> RangeOf(const Node& node) {
  switch (node.op) {
    case Operator::kRelu:
    case Operator::kLeakyRelu:
    case Operator::kPRelu:
    case Operator::kThresholdedRelu:
    case Operator::kElu:
    case Operator::kSelu:
    case Operator::kCelu:
    case Operator::kGelu:
    case Operator::kSwish:
    case Operator::kHardSwish:
    case Operator::kMish:
    case Operator::kTanh:
      return ActiveRange();
    case Operator::kSigmoid:
      return ActiveRange{.on_above = 0.5F};
    case Operator::kHardSigmoid:
      return ActiveRange{.saturated_from = 1.0F};
    case Operator::kClip: {
      const bool constant =
          node.attributes.contains("min") && node.attributes.contains("max");
      return constant ? std::optional(ActiveRange{
                            .on_above = FloatAttribute(node, "min"),
                            .saturated_from = FloatAttribute(node, "max")})
                      : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

// Whether the elements of a row stay what they are, in their order.
bool KeepsElements(const Graph& graph, const Node& node) {
  switch (node.op) {
    case Operator::kFlatten:
    case Operator::kReshape:
    case Operator::kSqueeze:
    case Operator::kUnsqueeze:
    case Operator::kCast:
      return RowElements(graph.values[node.inputs[0]]) ==
             RowElements(graph.values[node.outputs[0]]);
    default:
      return false;
  }
}

}  // namespace

void ActivationLayerFinder::AddDense(const DenseLayer& layer,
                                     const kernels::PackedDense& weights,
                                     std::size_t step, std::size_t buffer) {
  // Several vectors a row share the weights: no neuron has them alone.
  if (layer.vectors_per_row == 1) {
    dense_of_value_[layer.output] = {.weights = &weights, .input = layer.input};
  }
  if (layer.activation == kernels::Activation::kRelu) {
    Add(graph_.nodes[layer.nodes.back()], layer.output, step, buffer);
  }
}

void ActivationLayerFinder::AddNode(const Node& node, std::size_t step,
                                    std::size_t buffer) {
  const DataType type = graph_.values[node.outputs[0]].type;
  if (!RangeOf(node).has_value() || StorageType(type) != DataType::kFp32) {
    return;
  }
  const auto dense = dense_of_value_.find(node.inputs[0]);
  if (dense != dense_of_value_.end()) {
    dense_of_value_[node.outputs[0]] = dense->second;
  }
  Add(node, node.outputs[0], step, buffer);
}

void ActivationLayerFinder::Add(const Node& node, ValueId value,
                                std::size_t step, std::size_t buffer) {
  // A Relu that a layer has taken in may stand for another operator.
  const ActiveRange range = RangeOf(node).value_or(ActiveRange());
  ActivationLayer& layer = layers_.emplace_back();
  layer.name = node.name;
  layer.function = OperatorName(node.op);
  layer.neurons = RowElements(graph_.values[value]);
  layer.on_above = range.on_above;
  layer.saturated_from = range.saturated_from;
  layer.step = step;
  layer.buffer = buffer;
  const auto dense = dense_of_value_.find(value);
  if (dense != dense_of_value_.end()) {
    layer.weights = dense->second.weights;
    AddSources(dense->second.input, layer.sources);
  }
  layer_of_value_[value] = layers_.size() - 1;
}

void ActivationLayerFinder::AddSources(
    ValueId value, std::vector<LayerSource>& sources) const {
  const std::size_t count = RowElements(graph_.values[value]);
  const auto layer = layer_of_value_.find(value);
  if (layer != layer_of_value_.end()) {
    sources.push_back({.kind = LayerSource::Kind::kLayer,
                       .index = layer->second,
                       .count = count});
    return;
  }
  const auto input = std::ranges::find(graph_.inputs, value);
  if (input != graph_.inputs.end()) {
    sources.push_back(
        {.kind = LayerSource::Kind::kInput,
         .index = static_cast<std::size_t>(input - graph_.inputs.begin()),
         .count = count});
    return;
  }
  const std::optional<std::size_t> producer = uses_.Producer(value);
  const Node* const node =
      producer.has_value() ? &graph_.nodes[*producer] : nullptr;
  if (node != nullptr && KeepsElements(graph_, *node)) {
    AddSources(node->inputs[0], sources);
    return;
  }
  // Of vectors: that of matrices may take turns.
  if (node != nullptr && node->op == Operator::kConcat &&
      RowShape(graph_.values[value]).size() == 1) {
    for (const ValueId part : node->inputs) {
      AddSources(part, sources);
    }
    return;
  }
  sources.push_back({.count = count});
}

std::vector<ActivationLayer> ActivationLayerFinder::Take() {
  std::set<std::string> names;
  for (ActivationLayer& layer : layers_) {
    const std::string name = layer.name;
    for (int i = 2; !names.insert(layer.name).second; ++i) {
      layer.name = fmt::format("{}#{}", name, i);
    }
  }
  return std::move(layers_);
}

}  // namespace relu
