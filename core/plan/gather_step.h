// The steps of Gather.

#ifndef CORE_PLAN_GATHER_STEP_H_
#define CORE_PLAN_GATHER_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Either rows of a constant table by computed indices (an embedding), or fixed
// positions of a computed value (a choice of columns). Negative indices count
// from the end. A computed index outside of its table marks its row of the
// batch as faulty; the row is computed with index 0. Errors: INVALID_ARGUMENT
// if a constant index is outside of its dimension or the table is empty;
// UNIMPLEMENTED for other forms.
absl::Status LowerGather(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_GATHER_STEP_H_
