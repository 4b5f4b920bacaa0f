// The step of Concat.

#ifndef CORE_PLAN_CONCAT_STEP_H_
#define CORE_PLAN_CONCAT_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Has the parts of a Concat that goes over whole rows computed where they
// belong in its result, so that nothing is left to copy. Before any of them is
// lowered, the last Concat of the graph first: its parts may be results of
// others.
void ReserveParts(const Node& node, PlanBuilder& plan);

// Along any axis but the batch dimension. Errors: UNIMPLEMENTED if a constant
// part would differ from row to row.
absl::Status LowerConcat(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_CONCAT_STEP_H_
