// NodeOrder: the order in which the nodes of an ONNX graph can be computed.

#ifndef CORE_GRAPH_NODE_ORDER_H_
#define CORE_GRAPH_NODE_ORDER_H_

#include <vector>

#include "absl/status/statusor.h"

namespace onnx {
class GraphProto;
}  // namespace onnx

namespace relu {

// The positions of all nodes, each after those whose outputs it reads, whatever
// their order in the file. INVALID_ARGUMENT, naming one of its nodes, if there
// is a cycle. Inputs that no node makes are taken as given.
absl::StatusOr<std::vector<int>> NodeOrder(const onnx::GraphProto& graph);

}  // namespace relu

#endif  // CORE_GRAPH_NODE_ORDER_H_
