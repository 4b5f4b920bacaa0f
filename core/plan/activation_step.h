// The step of an operator that makes one float of one float: Relu, Sigmoid,
// Gelu, Exp, ..., where it is not part of another step.

#ifndef CORE_PLAN_ACTIVATION_STEP_H_
#define CORE_PLAN_ACTIVATION_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Writes over the operand where nothing else needs it. Errors: UNIMPLEMENTED
// for types that are not stored as float32, and for computed bounds of Clip.
absl::Status LowerActivation(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_ACTIVATION_STEP_H_
