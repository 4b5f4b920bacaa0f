#include "core/graph/hidden_layer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_tensor.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

// Of one input and one output, element by element.
constexpr std::array<std::string_view, 20> kActivations = {
    "Abs",   "Celu",      "Clip",      "Elu",      "Gelu",
    "Erf",   "HardSwish", "LeakyRelu", "Mish",     "Neg",
    "Relu",  "Selu",      "Sigmoid",   "Softplus", "Softsign",
    "Swish", "Tanh",      "Exp",       "Sqrt",     "ThresholdedRelu"};

bool IsOneOf(std::string_view op, std::span<const std::string_view> ops) {
  return std::ranges::find(ops, op) != ops.end();
}

bool IsArithmetic(std::string_view op) {
  return op == "Add" || op == "Sub" || op == "Mul" || op == "Div";
}

bool IsProduct(const onnx::NodeProto& node) {
  return node.domain().empty() &&
         (node.op_type() == "Gemm" || node.op_type() == "MatMul");
}

bool IsSet(const onnx::NodeProto& node, std::string_view attribute) {
  return std::ranges::any_of(node.attribute(), [&](const auto& a) {
    return a.name() == attribute && a.i() != 0;
  });
}

std::string Text(const onnx::NodeProto& node) {
  return fmt::format("node \"{}\" ({})", node.name(), node.op_type());
}

// Finds the layers of a file. Functions return why not, or nothing.
class LayerFinder {
 public:
  LayerFinder(const onnx::GraphProto& proto, const Graph& graph)
      : proto_(proto) {
    for (const Value& value : graph.values) {
      values_[value.name] = &value;
    }
    for (int i = 0; i < proto.initializer_size(); ++i) {
      initializers_[proto.initializer(i).name()] = i;
    }
    for (int i = 0; i < proto.node_size(); ++i) {
      ++names_[proto.node(i).name()];
      for (const std::string& input : proto.node(i).input()) {
        readers_[input].push_back(i);
      }
    }
    for (const onnx::ValueInfoProto& output : proto.output()) {
      readers_[output.name()].push_back(kOutput);
    }
  }

  // Of inputs that are one vector of floats a row.
  std::vector<FoundLayer> FindInputs() const {
    std::vector<FoundLayer> layers;
    for (const onnx::ValueInfoProto& input : proto_.input()) {
      if (initializers_.contains(input.name()) || !IsVector(input.name())) {
        continue;
      }
      FoundLayer layer;
      layer.layer.node = input.name();
      layer.layer.is_input = true;
      layer.layer.neurons = static_cast<std::size_t>(
          values_.find(input.name())->second->shape[1]);
      const auto readers = readers_.find(input.name());
      layer.layer.obstacle = readers == readers_.end() ? "nothing reads it"
                             : AreProducts(readers->second)
                                 ? AddReaders(input.name(), layer)
                                 : "not only Gemm and MatMul read it";
      layers.push_back(std::move(layer));
    }
    return layers;
  }

  std::vector<FoundLayer> FindLayers() const {
    std::vector<FoundLayer> layers;
    for (const onnx::NodeProto& node : proto_.node()) {
      // Of two constants, or of two computed values, is no layer.
      if (!IsProduct(node) || node.input_size() < 2 ||
          !initializers_.contains(node.input(1)) ||
          initializers_.contains(node.input(0))) {
        continue;
      }
      FoundLayer layer;
      layer.layer.node = node.name();
      const std::string obstacle = AddLayer(node, layer);
      if (!obstacle.empty()) {
        layer.parameters.clear();
        layer.readers.clear();
        layer.layer.reader_outputs.clear();
      }
      layer.layer.obstacle = obstacle;
      layers.push_back(std::move(layer));
    }
    return layers;
  }

 private:
  static constexpr int kOutput = -1;  // In the place of a node.

  // One vector of floats for each row.
  bool IsVector(const std::string& name) const {
    const auto found = values_.find(name);
    return found != values_.end() && found->second->is_batched() &&
           found->second->shape.size() == 2 &&
           IsFloatingPoint(found->second->type);
  }

  bool AreProducts(const std::vector<int>& readers) const {
    return std::ranges::all_of(
        readers, [&](int i) { return i != kOutput && IsProduct(Node(i)); });
  }

  // Constant weights that one node alone reads.
  std::optional<int> OwnConstant(const std::string& name) const {
    const auto found = initializers_.find(name);
    if (found == initializers_.end() || readers_.at(name).size() != 1) {
      return std::nullopt;
    }
    const auto type =
        DataTypeFromOnnx(proto_.initializer(found->second).data_type());
    return type.has_value() && IsFloatingPoint(*type)
               ? std::optional(found->second)
               : std::nullopt;
  }

  std::size_t SizeOf(int initializer, std::size_t axis) const {
    return static_cast<std::size_t>(
        proto_.initializer(initializer).dims(static_cast<int>(axis)));
  }

  static std::size_t OutputAxis(const onnx::NodeProto& product) {
    return IsSet(product, "transB") ? 0 : 1;
  }

  std::string AddLayer(const onnx::NodeProto& node, FoundLayer& layer) const {
    const int any = initializers_.at(node.input(1));
    if (proto_.initializer(any).dims_size() == 2) {
      layer.layer.inputs = SizeOf(any, 1 - OutputAxis(node));
      layer.layer.neurons = SizeOf(any, OutputAxis(node));
    }
    const std::optional<int> weights = OwnConstant(node.input(1));
    if (!weights.has_value() || layer.layer.neurons == 0) {
      return "its weights are no floats of its own";
    }
    if (!IsVector(node.output(0))) {
      return "it does not compute one vector a row";
    }
    if (names_.at(node.name()) > 1) {
      return "other nodes have its name";
    }
    layer.parameters.push_back(
        {.initializer = *weights, .axis = OutputAxis(node)});
    if (node.input_size() > 2 && !node.input(2).empty()) {
      if (std::string why = AddParameter(node, 2, layer); !why.empty()) {
        return why;
      }
    }
    return Follow(node.output(0), layer);
  }

  // A constant with a value for each neuron, or one for all.
  std::string AddParameter(const onnx::NodeProto& node, int input,
                           FoundLayer& layer) const {
    const auto found = initializers_.find(node.input(input));
    if (found == initializers_.end()) {
      return fmt::format("{} reads another value, too", Text(node));
    }
    const onnx::TensorProto& constant = proto_.initializer(found->second);
    std::size_t elements = 1;
    for (const std::int64_t size : constant.dims()) {
      elements *= static_cast<std::size_t>(size);
    }
    if (elements == 1) {
      return {};
    }
    const auto own = OwnConstant(node.input(input));
    const auto axis = static_cast<std::size_t>(constant.dims_size()) - 1;
    if (!own.has_value() || elements != layer.layer.neurons ||
        SizeOf(*own, axis) != elements) {
      return fmt::format("{} has other constants than one for each neuron",
                         Text(node));
    }
    layer.parameters.push_back({.initializer = *own, .axis = axis});
    return {};
  }

  // From the sums to those that read the neurons.
  std::string Follow(std::string value, FoundLayer& layer) const {
    bool is_active = false;
    for (;;) {
      const auto found = readers_.find(value);
      if (found == readers_.end()) {
        return "nothing reads it";
      }
      const std::vector<int>& readers = found->second;
      if (std::ranges::find(readers, kOutput) != readers.end()) {
        return fmt::format("\"{}\" is an output", value);
      }
      if (AreProducts(readers)) {
        return AddReaders(value, layer);
      }
      if (readers.size() != 1) {
        return fmt::format("\"{}\" is read by several nodes", value);
      }
      const onnx::NodeProto& node = Node(readers[0]);
      if (std::string why = Pass(node, value, is_active, layer); !why.empty()) {
        return why;
      }
      value = node.output(0);
    }
  }

  const onnx::NodeProto& Node(int i) const { return proto_.node(i); }

  // Goes through a node that does to each neuron what depends on it alone. What
  // comes after the activation would make something of a zero.
  std::string Pass(const onnx::NodeProto& node, const std::string& value,
                   bool& is_active, FoundLayer& layer) const {
    const std::string& op = node.op_type();
    const std::string no_way = fmt::format("{} reads it", Text(node));
    if (!node.domain().empty()) {
      return no_way;
    }
    if (op == "Identity" || op == "Dropout") {
      return node.output_size() == 1 ? "" : no_way;
    }
    if (is_active) {
      return fmt::format("{} comes after the activation", Text(node));
    }
    if (IsOneOf(op, kActivations) || op == "PRelu") {
      is_active = true;
      return op == "PRelu" ? AddParameter(node, 1, layer) : "";
    }
    if (IsArithmetic(op)) {
      return AddParameter(node, node.input(0) == value ? 1 : 0, layer);
    }
    if (op == "BatchNormalization" && node.output_size() == 1) {
      for (int input = 1; input < node.input_size(); ++input) {
        if (std::string why = AddParameter(node, input, layer); !why.empty()) {
          return why;
        }
      }
      return {};
    }
    return no_way;
  }

  std::string AddReaders(const std::string& value, FoundLayer& layer) const {
    for (const int i : readers_.at(value)) {
      const onnx::NodeProto& node = Node(i);
      const bool reads_once = std::ranges::count(node.input(), value) == 1;
      const auto weights = reads_once && node.input(0) == value
                               ? OwnConstant(node.input(1))
                               : std::nullopt;
      if (!weights.has_value() || IsSet(node, "transA") ||
          proto_.initializer(*weights).dims_size() != 2) {
        return fmt::format("{} has no constant weights of its own", Text(node));
      }
      const std::size_t axis = 1 - OutputAxis(node);
      layer.readers.push_back({.initializer = *weights, .axis = axis});
      layer.layer.reader_outputs.push_back(SizeOf(*weights, 1 - axis));
    }
    return {};
  }

  const onnx::GraphProto& proto_;
  std::map<std::string, const Value*, std::less<>> values_;       // By name.
  std::map<std::string, int, std::less<>> initializers_;          // By name.
  std::map<std::string, int, std::less<>> names_;                 // How often.
  std::map<std::string, std::vector<int>, std::less<>> readers_;  // By value.
};

}  // namespace

std::vector<FoundLayer> FindHiddenLayers(const onnx::GraphProto& proto,
                                         const Graph& graph, bool with_inputs) {
  const LayerFinder finder(proto, graph);
  std::vector<FoundLayer> layers;
  if (with_inputs) {
    layers = finder.FindInputs();
  }
  std::ranges::move(finder.FindLayers(), std::back_inserter(layers));
  return layers;
}

}  // namespace relu
