// PruneGraph: takes out of a graph what no output needs.

#ifndef CORE_GRAPH_GRAPH_PRUNING_H_
#define CORE_GRAPH_GRAPH_PRUNING_H_

#include "core/graph/graph.h"

namespace relu {

// Leaves the inputs, the outputs, and what leads from the ones to the others:
// leftovers of folding and of computations of sizes go. ValueIds change.
void PruneGraph(Graph& graph);

}  // namespace relu

#endif  // CORE_GRAPH_GRAPH_PRUNING_H_
