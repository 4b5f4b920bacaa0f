// The step of Concat.

#ifndef CORE_PLAN_CONCAT_STEP_H_
#define CORE_PLAN_CONCAT_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Along any axis but the batch dimension. Errors: UNIMPLEMENTED if an input is
// a constant.
absl::Status LowerConcat(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_CONCAT_STEP_H_
