// LowerNode: from a node of a graph to the step of its operator.

#ifndef CORE_PLAN_LOWER_NODE_H_
#define CORE_PLAN_LOWER_NODE_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// All operators but Gemm and MatMul, which are dense layers. At least one
// output has elements. Errors: UNIMPLEMENTED if there is no step for the
// operator, or not for this form of it; else those of CompiledModel::Compile().
absl::Status LowerNode(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_LOWER_NODE_H_
