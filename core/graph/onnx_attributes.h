// The attributes, inputs and outputs of ONNX nodes, checked against what an
// operator defines.

#ifndef CORE_GRAPH_ONNX_ATTRIBUTES_H_
#define CORE_GRAPH_ONNX_ATTRIBUTES_H_

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/onnx_tensor.h"
#include "core/graph/operators.h"
#include "core/tensor/tensor.h"

namespace onnx {
class NodeProto;
}  // namespace onnx

namespace relu {

// 'node "fc1" (Gemm)', or with the domain if the operator is not standard.
std::string NodeText(const onnx::NodeProto& proto);

// The attributes of the node, with the defaults of those it does not give.
// Errors, each naming the node: UNIMPLEMENTED for an attribute that is not in
// `definitions`; INVALID_ARGUMENT for one that is given twice, has another type
// or is required and missing.
absl::StatusOr<Attributes> ReadAttributes(
    const onnx::NodeProto& proto,
    std::span<const AttributeDefinition> definitions);

// INVALID_ARGUMENT unless the node has `least` to `most` inputs, the first
// `least` not left out, and 1 to `most_outputs` outputs, which has a
// name if it can be only one.
absl::Status CheckArity(const onnx::NodeProto& proto, std::size_t least,
                        std::size_t most, std::size_t most_outputs = 1);

// The one element of attribute "value" of a ConstantOfShape; a float of zero if
// it is not given. Errors, each naming the node: those of TensorFromOnnx();
// UNIMPLEMENTED for another attribute; INVALID_ARGUMENT for another number of
// elements.
absl::StatusOr<Tensor> ReadFillValue(const onnx::NodeProto& proto,
                                     TensorSource& source);

// The value of a Constant node. Errors, each naming the node: those of
// TensorFromOnnx(); UNIMPLEMENTED for strings and sparse tensors;
// INVALID_ARGUMENT unless it has exactly one attribute.
absl::StatusOr<Tensor> ReadConstantNode(const onnx::NodeProto& proto,
                                        TensorSource& source);

}  // namespace relu

#endif  // CORE_GRAPH_ONNX_ATTRIBUTES_H_
