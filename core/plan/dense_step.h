// The step that computes a dense layer.

#ifndef CORE_PLAN_DENSE_STEP_H_
#define CORE_PLAN_DENSE_STEP_H_

#include "core/plan/dense_layer.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Packs the layer's weights and adds its step. The layer has outputs.
void LowerDense(const DenseLayer& layer, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_DENSE_STEP_H_
