// The steps of Add, Sub, Mul and Div.

#ifndef CORE_PLAN_ARITHMETIC_STEP_H_
#define CORE_PLAN_ARITHMETIC_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// With NumPy's broadcasting inside of a row. Integers wrap around; an integer
// divided by zero gives 0 and marks its row of the batch as faulty. Errors:
// UNIMPLEMENTED for types other than FP32, FP16, BF16, INT32 and INT64, and for
// shapes that would mix rows.
absl::Status LowerArithmetic(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_ARITHMETIC_STEP_H_
