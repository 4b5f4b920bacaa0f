#include "tests/benchmark/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_file.h"
#include "core/graph/onnx_import.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/benchmark/random_layers.h"
#include "tests/core/graph/model_builder.h"
#include "tests/support/reference_model.h"

namespace relu::benchmarks {
namespace {

constexpr std::size_t kRandomRows = 512;
constexpr std::size_t kLeastRows = 64;

// Adds the weights of layer `index`, and returns the name of their value.
std::string AddWeights(std::size_t index, const Layer& layer, bool as_half,
                       ModelBuilder& builder) {
  const std::string name = fmt::format("w{}", index);
  const std::vector<std::int64_t> dims = {static_cast<std::int64_t>(layer.k),
                                          static_cast<std::int64_t>(layer.n)};
  if (!as_half) {
    builder.Floats(name, dims, layer.weights);
    return name;
  }
  const std::string half = name + "_half";
  builder.Initializer(HalfTensorProto(half, dims, layer.weights));
  builder.Node("Cast", {half}, name,
               {IntAttributeProto("to", onnx::TensorProto::FLOAT)});
  return name;
}

onnx::ModelProto MakeModel(const std::vector<Layer>& layers, bool as_half) {
  ModelBuilder builder;
  builder.Input("x",
                {.sizes = {-1, static_cast<std::int64_t>(layers.front().k)}});
  std::string value = "x";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool is_last = i + 1 == layers.size();
    const std::string weights = AddWeights(i, layers[i], as_half, builder);
    const std::string bias = fmt::format("b{}", i);
    const std::string result = is_last ? "y" : fmt::format("h{}", i);
    const std::string sum = layers[i].relu ? fmt::format("s{}", i) : result;
    builder.Floats(bias, {static_cast<std::int64_t>(layers[i].n)},
                   layers[i].bias);
    builder.Node("Gemm", {value, weights, bias}, sum);
    if (layers[i].relu) {
      builder.Node("Relu", {sum}, result);
    }
    value = result;
  }
  builder.Output("y",
                 {.sizes = {-1, static_cast<std::int64_t>(layers.back().n)}});
  return builder.model();
}

// What the engines need to know beside the model itself.
absl::StatusOr<Network> Describe(Network network,
                                 const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(const Graph graph, ImportOnnx(network.model, folder));
  for (const ValueId id : graph.inputs) {
    network.input_names.push_back(graph.values[id].name);
  }
  for (const ValueId id : graph.outputs) {
    const Value& value = graph.values[id];
    network.outputs.push_back(
        {value.name, value.type,
         Shape(value.shape.begin() + 1, value.shape.end())});
  }
  for (const Node& node : graph.nodes) {
    if (node.op == Operator::kGemm || node.op == Operator::kMatMul) {
      const std::optional<std::int64_t> count =
          ElementCount(graph.values[node.inputs[1]].shape);
      network.operations_per_row += 2.0 * static_cast<double>(*count);
      network.weight_bytes += static_cast<std::size_t>(*count) * sizeof(float);
    }
  }
  return network;
}

// --- Layers out of an ONNX file ---

std::vector<float> FloatsOf(const onnx::TensorProto& tensor) {
  std::vector<float> values(tensor.raw_data().size() / sizeof(float));
  std::memcpy(values.data(), tensor.raw_data().data(),
              tensor.raw_data().size());
  return values;
}

std::int64_t IntOf(const onnx::NodeProto& node, std::string_view name) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) {
      return attribute.i();
    }
  }
  return 0;
}

using Initializers =
    std::map<std::string, const onnx::TensorProto*, std::less<>>;

Layer LayerOf(const onnx::NodeProto& gemm, const Initializers& initializers) {
  const onnx::TensorProto& weights = *initializers.at(gemm.input(1));
  const std::vector<float> values = FloatsOf(weights);
  const bool is_transposed = IntOf(gemm, "transB") != 0;
  Layer layer;
  layer.k = static_cast<std::size_t>(weights.dims(is_transposed ? 1 : 0));
  layer.n = static_cast<std::size_t>(weights.dims(is_transposed ? 0 : 1));
  layer.bias = FloatsOf(*initializers.at(gemm.input(2)));
  layer.weights.resize(values.size());
  for (std::size_t k = 0; k < layer.k; ++k) {
    for (std::size_t n = 0; n < layer.n; ++n) {
      layer.weights[k * layer.n + n] =
          is_transposed ? values[n * layer.k + k] : values[k * layer.n + n];
    }
  }
  return layer;
}

// Empty if there is anything but Gemm and Relu, one after the other. (The
// answers of the engines are compared, so a chain that is none is found out.)
std::vector<Layer> LayersOf(const onnx::GraphProto& graph) {
  Initializers initializers;
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    initializers[tensor.name()] = &tensor;
  }
  std::vector<Layer> layers;
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.op_type() == "Gemm" && node.input_size() == 3) {
      layers.push_back(LayerOf(node, initializers));
    } else if (node.op_type() == "Relu" && !layers.empty()) {
      layers.back().relu = true;
    } else {
      return {};
    }
  }
  return layers;
}

}  // namespace

absl::StatusOr<Network> MakeRandomNetwork(const std::string& name,
                                          const RandomNetworkOptions& options) {
  Network network;
  network.name = name;
  network.inputs.push_back(RandomRows(kRandomRows, options));
  network.layers = RandomLayers(network.inputs[0].As<float>(), options);
  network.model = MakeModel(network.layers, options.half_precision_weights);
  ASSIGN_OR_RETURN(network, Describe(std::move(network), "."));
  if (options.half_precision_weights) {
    network.weight_bytes /= 2;
  }
  return network;
}

absl::StatusOr<Network> LoadTrainedNetwork(
    const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(ReferenceModel reference, LoadReference(folder));
  Network network;
  network.name = reference.name;
  ASSIGN_OR_RETURN(network.model, ReadOnnxFile(reference.onnx));
  network.layers = LayersOf(network.model.graph());
  ASSIGN_OR_RETURN(network, Describe(std::move(network), folder));
  for (const std::string& input : network.input_names) {
    network.inputs.push_back(std::move(reference.inputs.at(input)));
  }
  return network;
}

Batches MakeBatches(const Network& network, std::size_t rows) {
  Batches batches;
  batches.rows = rows;
  batches.count = std::max<std::size_t>(2, kLeastRows / rows);
  for (const Tensor& input : network.inputs) {
    batches.inputs.push_back(
        SliceRows(input, /*first_row=*/0,
                  static_cast<std::int64_t>(batches.count * rows)));
  }
  return batches;
}

}  // namespace relu::benchmarks
