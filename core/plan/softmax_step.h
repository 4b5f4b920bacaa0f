// The steps of Softmax and LogSoftmax.

#ifndef CORE_PLAN_SOFTMAX_STEP_H_
#define CORE_PLAN_SOFTMAX_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Along one axis, or over all dimensions from `axis` on if the attribute
// `flatten` is 1 (the operator's meaning before opset 13). Errors:
// UNIMPLEMENTED for types other than FP32, FP16 and BF16.
absl::Status LowerSoftmax(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_SOFTMAX_STEP_H_
