// The steps of Relu, Sigmoid and Tanh where they are not part of another step.

#ifndef CORE_PLAN_ACTIVATION_STEP_H_
#define CORE_PLAN_ACTIVATION_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Errors: UNIMPLEMENTED for types other than FP32, FP16 and BF16.
absl::Status LowerActivation(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_ACTIVATION_STEP_H_
