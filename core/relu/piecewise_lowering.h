// From a graph to the PiecewiseNetwork of one of its outputs.

#ifndef CORE_RELU_PIECEWISE_LOWERING_H_
#define CORE_RELU_PIECEWISE_LOWERING_H_

#include <string_view>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/plan/compile_options.h"
#include "core/relu/piecewise_network.h"

namespace relu {

// `output` is the name of an output of floats; empty: the first that there is.
// A Sigmoid, Softmax or LogSoftmax that ends it is left out. These are exact:
//
//   Gemm and MatMul with constant weights; Add, Sub, Mul and Div with
//   constants; Add, Sub, Sum and Mean of computed values; BatchNormalization;
//   Relu, LeakyRelu, PRelu, Clip, Abs, Neg, HardSigmoid, and Max and Min with a
//   constant; Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Slice, Split,
//   Expand, Concat and Gather by constant indices; Gather from a constant table
//   (an embedding) by integers; Cast
//
// and what Rewrite() makes of others. Weights are rounded as `weights` says,
// which is how the plan has them. Errors:
//   NOT_FOUND      there is no such output
//   UNIMPLEMENTED  an operator that it needs is not one of these, or rows
//                  depend on each other; with the node's name and advice
absl::StatusOr<PiecewiseNetwork> LowerToPiecewise(
    const Graph& graph, std::string_view output,
    WeightStorage weights = WeightStorage::kFloat32);

}  // namespace relu

#endif  // CORE_RELU_PIECEWISE_LOWERING_H_
