// The step of ArgMax and ArgMin.

#ifndef CORE_PLAN_ARG_MAX_STEP_H_
#define CORE_PLAN_ARG_MAX_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// The position of the greatest or least value along an axis; of equal ones the
// first, or the last if select_last_index is 1. NaN counts as more extreme than
// any number, as in NumPy. Errors: UNIMPLEMENTED for types other than FP32,
// FP16, BF16, INT32 and INT64; INVALID_ARGUMENT if the axis has no elements.
absl::Status LowerArgMax(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_ARG_MAX_STEP_H_
