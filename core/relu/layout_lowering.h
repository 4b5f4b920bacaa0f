// The operators that move elements and compute none, for a NetworkBuilder.

#ifndef CORE_RELU_LAYOUT_LOWERING_H_
#define CORE_RELU_LAYOUT_LOWERING_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/relu/network_builder.h"

namespace relu {

// `node` is one of Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Slice,
// Split, Expand, Concat and Gather. Of floats and of integers. Errors:
//   UNIMPLEMENTED     it takes in a constant, or goes by computed indices
//   INVALID_ARGUMENT  a constant index is outside of its dimension
absl::Status LowerLayout(const Node& node, NetworkBuilder& builder);

}  // namespace relu

#endif  // CORE_RELU_LAYOUT_LOWERING_H_
