// The steps of LayerNormalization and BatchNormalization.

#ifndef CORE_PLAN_NORMALIZATION_STEP_H_
#define CORE_PLAN_NORMALIZATION_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Over the last dimensions of a row. Errors: UNIMPLEMENTED if scale or shift
// are computed, for the outputs Mean and InvStdDev, and for types that are not
// stored as float32.
absl::Status LowerLayerNormalization(const Node& node, PlanBuilder& plan);

// One multiply-add for each element: scale and shift follow from the constants,
// in double, rounded once. Errors: UNIMPLEMENTED if a parameter is computed;
// INVALID_ARGUMENT if one of them makes no finite scale and shift.
absl::Status LowerBatchNormalization(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_NORMALIZATION_STEP_H_
