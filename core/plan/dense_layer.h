// DenseLayer: one fully connected layer found in a graph, with the nodes that
// it stands for.

#ifndef CORE_PLAN_DENSE_LAYER_H_
#define CORE_PLAN_DENSE_LAYER_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/channel_affine.h"
#include "core/plan/graph_uses.h"

namespace relu {

struct DenseLayer {
  ValueId input = kNoValue;
  ValueId output = kNoValue;
  std::size_t k = 0;  // Input features.
  std::size_t n = 0;  // Output features.
  // How many vectors of k values one row has: 1 but for [N, T, K] and the like.
  std::size_t vectors_per_row = 1;
  std::vector<float> weights;  // [k, n], row-major.
  std::vector<float> bias;     // [n]
  kernels::Activation activation = kernels::Activation::kIdentity;
  std::vector<std::size_t> nodes;  // Of the graph, in order.

  // What the other nodes do to the input and the output of the product; empty
  // if nothing. In weights and bias once these are read.
  std::size_t product = 0;  // The Gemm or MatMul, a node of the graph.
  ChannelAffine before;     // [k]
  ChannelAffine after;      // [n]
};

// Finds the layer of the Gemm or MatMul at graph.nodes[node], with the nodes
// around it that it can take in, where nothing else uses the values between and
// no other layer `has_taken` them: arithmetic with constants and
// BatchNormalization before and after, then a Relu. Weights and bias stay
// empty. Errors: those of CompiledModel::Compile().
absl::StatusOr<DenseLayer> FindDenseLayer(const Graph& graph,
                                          const GraphUses& uses,
                                          std::size_t node,
                                          const std::vector<bool>& has_taken);

// Fills in weights and bias: all factors are multiplied in double, and the
// products and sums rounded once. INVALID_ARGUMENT if one is not finite.
absl::Status ReadWeights(const Graph& graph, DenseLayer& layer);

}  // namespace relu

#endif  // CORE_PLAN_DENSE_LAYER_H_
