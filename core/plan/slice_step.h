// Slice, Split and Expand: parts of a row, or a row repeated.

#ifndef CORE_PLAN_SLICE_STEP_H_
#define CORE_PLAN_SLICE_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Columns that lie side by side are no step: they are another name for a part
// of the buffer. Others are moved.
void LowerSlice(const Node& node, PlanBuilder& plan);
void LowerSplit(const Node& node, PlanBuilder& plan);

// Errors: UNIMPLEMENTED if a constant, or a value of fewer dimensions, is
// expanded.
absl::Status LowerExpand(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_SLICE_STEP_H_
