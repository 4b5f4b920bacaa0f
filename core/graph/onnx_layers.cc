#include "core/graph/onnx_layers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/external_data.h"
#include "core/graph/graph.h"
#include "core/graph/hidden_layer.h"
#include "core/graph/onnx_fields.h"
#include "core/graph/onnx_file.h"
#include "core/graph/onnx_import.h"
#include "core/graph/onnx_tensor.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

// Fields of ONNX that onnx.proto leaves out, or that are copied as they are.
constexpr int kModelGraph = 7;
constexpr int kGraphValueInfo = 13;

// These places of one dimension of a tensor, in this order.
Tensor Selected(const Tensor& tensor, std::size_t axis,
                std::span<const std::size_t> places) {
  Shape shape = tensor.shape();
  std::size_t outer = 1;
  std::size_t inner = DataTypeSize(tensor.type());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != axis) {
      (i < axis ? outer : inner) *= static_cast<std::size_t>(shape[i]);
    }
  }
  const auto size = static_cast<std::size_t>(shape[axis]);
  shape[axis] = static_cast<std::int64_t>(places.size());
  Tensor selected(tensor.type(), std::move(shape));
  std::byte* to = selected.bytes().data();
  for (std::size_t i = 0; i < outer; ++i) {
    for (const std::size_t place : places) {
      std::memcpy(to, tensor.bytes().data() + (i * size + place) * inner,
                  inner);
      to += inner;
    }
  }
  return selected;
}

void StoreTensor(const Tensor& tensor, onnx::TensorProto& proto) {
  onnx::TensorProto stored;
  stored.set_name(proto.name());
  stored.set_data_type(proto.data_type());
  for (const std::int64_t size : tensor.shape()) {
    stored.add_dims(size);
  }
  stored.set_raw_data(tensor.bytes().data(), tensor.bytes().size());
  proto = std::move(stored);
}

}  // namespace

OnnxLayers::OnnxLayers(std::unique_ptr<onnx::ModelProto> model,
                       std::filesystem::path folder)
    : model_(std::move(model)), folder_(std::move(folder)) {}
OnnxLayers::OnnxLayers(OnnxLayers&&) noexcept = default;
OnnxLayers::~OnnxLayers() = default;

absl::StatusOr<OnnxLayers> OnnxLayers::Read(const std::filesystem::path& file,
                                            bool with_inputs) {
  ASSIGN_OR_RETURN(onnx::ModelProto model, ReadOnnxFile(file));
  OnnxLayers layers(std::make_unique<onnx::ModelProto>(std::move(model)),
                    file.parent_path());
  ASSIGN_OR_RETURN(const Graph graph, layers.Import());
  onnx::GraphProto& proto = *layers.model_->mutable_graph();
  {
    onnx::GraphProto named = proto;
    NormalizeOnnxNodes(named);
    layers.layers_ = FindHiddenLayers(named, graph, with_inputs);
  }
  TensorSource source{.external = ExternalData(layers.folder_)};
  const auto take = [&](int i) -> absl::Status {
    if (!layers.tensors_.contains(i)) {
      ASSIGN_OR_RETURN(layers.tensors_[i],
                       TensorFromOnnx(proto.initializer(i), source));
    }
    return absl::OkStatus();
  };
  for (const FoundLayer& layer : layers.layers_) {
    for (const auto* const cuts : {&layer.parameters, &layer.readers}) {
      for (const NeuronAxis& cut : *cuts) {
        RETURN_IF_ERROR(take(cut.initializer));
      }
    }
  }
  for (int i = 0; i < proto.initializer_size(); ++i) {
    if (proto.initializer(i).data_location() == onnx::TensorProto::EXTERNAL) {
      RETURN_IF_ERROR(take(i));
      StoreTensor(layers.tensors_[i], *proto.mutable_initializer(i));
    }
  }
  return layers;
}

bool OnnxLayers::HasMetadata(std::string_view prefix) const {
  onnx::ModelProto rest = *model_;
  rest.clear_graph();
  return !MetadataOf(rest.SerializeAsString(), prefix).empty();
}

std::vector<bool> OnnxLayers::Unread(std::size_t i) const {
  const std::size_t neurons = layers_[i].layer.neurons;
  std::vector<bool> unread(neurons, true);
  for (const NeuronAxis& cut : layers_[i].readers) {
    const std::vector<double> weights = ToDoubles(tensors_.at(cut.initializer));
    const std::size_t outputs = weights.size() / neurons;
    for (std::size_t at = 0; at < weights.size(); ++at) {
      if (weights[at] != 0.0) {
        unread[cut.axis == 0 ? at / outputs : at % neurons] = false;
      }
    }
  }
  return unread;
}

void OnnxLayers::Keep(std::size_t i, std::span<const std::size_t> neurons) {
  FoundLayer& layer = layers_[i];
  onnx::GraphProto& proto = *model_->mutable_graph();
  for (const auto* const cuts : {&layer.parameters, &layer.readers}) {
    for (const NeuronAxis& cut : *cuts) {
      Tensor& tensor = tensors_.at(cut.initializer);
      tensor = Selected(tensor, cut.axis, neurons);
      onnx::TensorProto& stored = *proto.mutable_initializer(cut.initializer);
      StoreTensor(tensor, stored);
      // Old files list constants among the inputs.
      for (onnx::ValueInfoProto& input : *proto.mutable_input()) {
        onnx::TensorShapeProto& shape =
            *input.mutable_type()->mutable_tensor_type()->mutable_shape();
        if (input.name() == stored.name() &&
            static_cast<std::size_t>(shape.dim_size()) > cut.axis) {
          shape.mutable_dim(static_cast<int>(cut.axis))
              ->set_dim_value(static_cast<std::int64_t>(neurons.size()));
        }
      }
    }
  }
  layer.layer.neurons = neurons.size();
  if (layer.layer.is_input) {
    AddGather(layer.layer.node, neurons);
  }
  for (FoundLayer& other : layers_) {
    // The weights of a layer are the first of its parameters.
    for (std::size_t r = 0; r < other.readers.size(); ++r) {
      if (!layer.parameters.empty() &&
          other.readers[r].initializer == layer.parameters[0].initializer) {
        other.layer.reader_outputs[r] = neurons.size();
      }
    }
    for (const NeuronAxis& reader : layer.readers) {
      if (!other.parameters.empty() &&
          other.parameters[0].initializer == reader.initializer) {
        other.layer.inputs = neurons.size();
      }
    }
  }
}

void OnnxLayers::AddGather(const std::string& input,
                           std::span<const std::size_t> kept) {
  onnx::GraphProto& proto = *model_->mutable_graph();
  const auto is_taken = [&](const std::string& name) {
    const auto has = [&](const auto& names) {
      return std::ranges::find(names, name) != names.end();
    };
    return std::ranges::any_of(
               proto.initializer(),
               [&](const auto& t) { return t.name() == name; }) ||
           std::ranges::any_of(
               proto.input(),
               [&](const auto& v) { return v.name() == name; }) ||
           std::ranges::any_of(proto.node(), [&](const auto& node) {
             return node.name() == name || has(node.output());
           });
  };
  std::string chosen = input + "_kept";
  while (is_taken(chosen) || is_taken(chosen + "_indices")) {
    chosen += '_';
  }
  onnx::TensorProto& indices = *proto.add_initializer();
  indices.set_name(chosen + "_indices");
  indices.set_data_type(onnx::TensorProto::INT64);
  indices.add_dims(static_cast<std::int64_t>(kept.size()));
  const std::vector<std::int64_t> numbers(kept.begin(), kept.end());
  indices.set_raw_data(numbers.data(), numbers.size() * sizeof(std::int64_t));
  for (onnx::NodeProto& node : *proto.mutable_node()) {
    std::ranges::replace(*node.mutable_input(), input, chosen);
  }
  onnx::NodeProto& gather = *proto.add_node();
  gather.set_name(chosen);
  gather.set_op_type("Gather");
  gather.add_input(input);
  gather.add_input(indices.name());
  gather.add_output(chosen);
  onnx::AttributeProto& axis = *gather.add_attribute();
  axis.set_name("axis");
  axis.set_type(onnx::AttributeProto::INT);
  axis.set_i(1);
  // Before those that read it.
  std::rotate(proto.mutable_node()->begin(), proto.mutable_node()->end() - 1,
              proto.mutable_node()->end());
}

absl::StatusOr<Graph> OnnxLayers::Import() const {
  return ImportOnnx(*model_, folder_);
}

absl::StatusOr<std::string> OnnxLayers::Bytes(
    const std::map<std::string, std::string, std::less<>>& metadata) const {
  std::size_t size = model_->ByteSizeLong();
  for (const auto& [key, value] : metadata) {
    constexpr std::size_t kAround = 32;
    size += key.size() + value.size() + kAround;
  }
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError(fmt::format(
        "the model takes {} bytes with its external data, more than one file "
        "may have",
        size));
  }
  const std::string graph = FilterFields(
      model_->graph().SerializeAsString(),
      [](int number, const std::string&) { return number != kGraphValueInfo; });
  onnx::ModelProto rest = *model_;
  rest.clear_graph();
  std::string bytes = FilterFields(
      rest.SerializeAsString(), [&](int number, const std::string& content) {
        onnx::StringStringEntryProto entry;
        return number != kModelMetadata || !entry.ParseFromString(content) ||
               !metadata.contains(entry.key());
      });
  AppendField(kModelGraph, graph, bytes);
  for (const auto& [key, value] : metadata) {
    onnx::StringStringEntryProto entry;
    entry.set_key(key);
    entry.set_value(value);
    AppendField(kModelMetadata, entry.SerializeAsString(), bytes);
  }
  return bytes;
}

}  // namespace relu
