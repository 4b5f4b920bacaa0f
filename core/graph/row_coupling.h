// CouplesRows: whether the rows of a batch depend on each other.

#ifndef CORE_GRAPH_ROW_COUPLING_H_
#define CORE_GRAPH_ROW_COUPLING_H_

#include "core/graph/graph.h"

namespace relu {

// False if each output has the batch dimension first, and its row i depends on
// row i of the inputs alone, which is so if it holds for every node. True also
// for a graph that is fine as a whole but where a value between has the batch
// elsewhere: no plan computes such a graph row by row. `graph` is pruned.
bool CouplesRows(const Graph& graph);

}  // namespace relu

#endif  // CORE_GRAPH_ROW_COUPLING_H_
