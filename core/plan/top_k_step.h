// The step of TopK.

#ifndef CORE_PLAN_TOP_K_STEP_H_
#define CORE_PLAN_TOP_K_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// The k most extreme values along an axis with their positions, always in
// order; of equal values the one that comes first. NaN counts as greater than
// any number. Errors: UNIMPLEMENTED for types that are not stored as float32.
absl::Status LowerTopK(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_TOP_K_STEP_H_
