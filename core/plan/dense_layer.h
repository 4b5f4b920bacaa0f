// DenseLayer: one fully connected layer found in a graph, with the nodes that
// it stands for.

#ifndef CORE_PLAN_DENSE_LAYER_H_
#define CORE_PLAN_DENSE_LAYER_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
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
};

// Reads the Gemm or MatMul at graph.nodes[node] and fuses what follows, where
// nothing else uses the values between: an Add of a constant bias, then a Relu.
// Alpha and beta are multiplied into weights and bias, rounded once. Errors:
// those of CompiledModel::Compile().
absl::StatusOr<DenseLayer> ReadDenseLayer(const Graph& graph,
                                          const GraphUses& uses,
                                          std::size_t node);

}  // namespace relu

#endif  // CORE_PLAN_DENSE_LAYER_H_
