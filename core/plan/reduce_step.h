// The steps of ReduceMean, ReduceSum, ReduceProd, ReduceMax and ReduceMin.

#ifndef CORE_PLAN_REDUCE_STEP_H_
#define CORE_PLAN_REDUCE_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Over any axes but the batch dimension. Sums and products are taken in
// ascending order of the elements, in double, and rounded once. NaN gives NaN.
// Errors: UNIMPLEMENTED for types that are not stored as float32.
absl::Status LowerReduction(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_REDUCE_STEP_H_
