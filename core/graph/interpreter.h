// The plain graph interpreter: each operator by its definition, one node after
// the other, in double precision. It judges compiled plans (the self-check at
// load, tests) and folds constants; it never serves requests.

#ifndef CORE_GRAPH_INTERPRETER_H_
#define CORE_GRAPH_INTERPRETER_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/operators.h"
#include "core/tensor/tensor.h"

namespace relu {

// Runs the graph on `inputs`, in the order of graph.inputs, each with its rows
// as the first dimension; there is no need to keep to graph.fixed_rows. Returns
// the outputs in the order of graph.outputs. Values between nodes are kept in
// the graph's types, sums and functions are taken in double; integers are exact
// and wrap around. INVALID_ARGUMENT if the inputs do not fit the graph, or a
// value cannot be computed, such as an index outside of a table.
absl::StatusOr<std::vector<Tensor>> Interpret(const Graph& graph,
                                              std::span<const Tensor> inputs);

// Runs one node that the import has checked, on operands that fit it. `results`
// are the types and shapes (rows counted, no kBatchDim) of its outputs.
// `inputs` are in the node's order, nullptr where left out. INVALID_ARGUMENT,
// naming the node, if a value cannot be computed.
absl::StatusOr<std::vector<Tensor>> EvaluateNode(
    const Node& node, std::span<const ValueType> results,
    std::span<const Tensor* const> inputs);

}  // namespace relu

#endif  // CORE_GRAPH_INTERPRETER_H_
