// EvaluateByRows: a node over large constants, a few rows or a part of one
// after the other, so that the numbers that the interpreter has for each
// element take little memory.

#ifndef CORE_GRAPH_EVALUATE_BY_ROWS_H_
#define CORE_GRAPH_EVALUATE_BY_ROWS_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/operators.h"
#include "core/tensor/tensor.h"

namespace relu {

// As EvaluateNode(), with the same results and errors. Nodes that go element by
// element, with or without broadcasting, take no more than the results and a
// few MiB; others what EvaluateNode() takes. `spare`, if it is not null, is one
// of the inputs, has the type and shape of the only result, and is of no more
// use to the caller: the result may take its memory.
absl::StatusOr<std::vector<Tensor>> EvaluateByRows(
    const Node& node, std::span<const ValueType> results,
    std::span<const Tensor* const> inputs, Tensor* spare = nullptr);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATE_BY_ROWS_H_
