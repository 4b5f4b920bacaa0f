// The steps that run what has no step of its own: the whole of a graph whose
// rows depend on each other, or one node of a graph that keeps rows apart. They
// are correct and slow: they call the interpreter of core/graph, in double
// precision, and allocate for every value.

#ifndef CORE_PLAN_INTERPRET_STEP_H_
#define CORE_PLAN_INTERPRET_STEP_H_

#include <cstddef>
#include <vector>

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Adds the step for a node whose values are constants or batched. Values of
// FP16 and BF16 are rounded to their type as the node computes them. Rows for
// which it has no value get a fault.
void LowerByInterpreter(const Node& node, PlanBuilder& plan);

// Adds the step for the graph of `plan`. The buffers are those of its inputs
// and outputs; the tensor in a buffer lies there as one after the other of
// equal parts, one a row, if the value has a batch dimension (once, anywhere),
// else as the first row alone. All rows get a fault if there is no value.
void LowerGraphByInterpreter(const std::vector<std::size_t>& inputs,
                             const std::vector<std::size_t>& outputs,
                             PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_INTERPRET_STEP_H_
