// FindHiddenLayers: the layers of an ONNX file that can lose neurons, and what
// counts these in the file.

#ifndef CORE_GRAPH_HIDDEN_LAYER_H_
#define CORE_GRAPH_HIDDEN_LAYER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "core/graph/graph.h"

namespace onnx {
class GraphProto;
}  // namespace onnx

namespace relu {

// The neurons that a Gemm or MatMul computes, or the elements of an input of
// the file.
struct HiddenLayer {
  std::string node;  // Its name, as ImportOnnx() gives it; or the input's.
  bool is_input = false;
  std::size_t inputs = 0;  // Of the Gemm or MatMul.
  std::size_t neurons = 0;
  // The outputs of each Gemm or MatMul that reads the neurons.
  std::vector<std::size_t> reader_outputs;
  // Why its neurons cannot be taken out; empty: they can.
  std::string obstacle;
};

// A dimension of a constant that counts the neurons of a layer.
struct NeuronAxis {
  int initializer = 0;
  std::size_t axis = 0;
};

// Both are empty if there is an obstacle.
struct FoundLayer {
  HiddenLayer layer;
  // Of what computes the neurons: first its weights, if it has some.
  std::vector<NeuronAxis> parameters;
  std::vector<NeuronAxis> readers;  // Weights.
};

// Inputs, if they are wanted, that are one vector of floats a row; then each
// Gemm and MatMul with constant weights, in the order of the file. `proto` has
// been through NormalizeOnnxNodes(); `graph` is what ImportOnnx() makes of it.
std::vector<FoundLayer> FindHiddenLayers(const onnx::GraphProto& proto,
                                         const Graph& graph, bool with_inputs);

}  // namespace relu

#endif  // CORE_GRAPH_HIDDEN_LAYER_H_
