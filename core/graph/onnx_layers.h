// OnnxLayers: the hidden layers of an ONNX file, and a smaller file without
// some of their neurons.

#ifndef CORE_GRAPH_ONNX_LAYERS_H_
#define CORE_GRAPH_ONNX_LAYERS_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/hidden_layer.h"
#include "core/tensor/tensor.h"

namespace onnx {
class ModelProto;
}  // namespace onnx

namespace relu {

// For one thread.
class OnnxLayers {
 public:
  // Errors are those of ImportOnnx(). Inputs of floats, one vector a row, are
  // layers only if they are wanted.
  static absl::StatusOr<OnnxLayers> Read(const std::filesystem::path& file,
                                         bool with_inputs = false);

  OnnxLayers(OnnxLayers&&) noexcept;
  ~OnnxLayers();

  // Inputs, then layers with constant weights, in the order of the file.
  // Neurons can be taken out of a layer if nothing but Gemm and MatMul with
  // constant weights reads them, each with weights of its own; between there
  // may be arithmetic with constants and BatchNormalization, then one
  // activation.
  std::size_t size() const { return layers_.size(); }
  const HiddenLayer& layer(std::size_t i) const { return layers_[i].layer; }

  // Whether metadata_props of the file has an entry whose key begins so.
  bool HasMetadata(std::string_view prefix) const;

  // By neuron of a layer without an obstacle: whether all weights that read it
  // are zero.
  std::vector<bool> Unread(std::size_t i) const;

  // Keeps these neurons of a layer without an obstacle, one or more, in this
  // order. An input itself stays as it is: a Gather chooses of it what is read.
  void Keep(std::size_t i, std::span<const std::size_t> neurons);

  // What the file would be now. Names, inputs, outputs, operator sets and
  // metadata stay; shapes of values between, which files may give, are left
  // out, and external data comes into the file. Import() fails as ImportOnnx()
  // does; Bytes() with INVALID_ARGUMENT if they are more than a file may have.
  absl::StatusOr<Graph> Import() const;
  // `metadata` replaces entries of the same names in metadata_props.
  absl::StatusOr<std::string> Bytes(
      const std::map<std::string, std::string, std::less<>>& metadata) const;

 private:
  void AddGather(const std::string& input, std::span<const std::size_t> kept);

  OnnxLayers(std::unique_ptr<onnx::ModelProto> model,
             std::filesystem::path folder);

  std::unique_ptr<onnx::ModelProto> model_;
  std::filesystem::path folder_;
  std::vector<FoundLayer> layers_;
  std::map<int, Tensor> tensors_;  // By initializer, that are cut.
};

}  // namespace relu

#endif  // CORE_GRAPH_ONNX_LAYERS_H_
