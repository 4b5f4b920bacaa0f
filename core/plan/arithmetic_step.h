// The steps of Add, Sub, Mul, Div, Pow, PRelu, and of Min, Max, Sum and Mean,
// which take any number of operands.

#ifndef CORE_PLAN_ARITHMETIC_STEP_H_
#define CORE_PLAN_ARITHMETIC_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Operands of other shapes are broadcast to that of the result. Integers wrap
// around; one divided by zero is 0 and marks its row of the batch as faulty.
// Errors: UNIMPLEMENTED for other types than float32 as stored, INT32 and INT64
// (of these two Pow, PRelu and Mean have no step), and for operands that do not
// go into the result row by row.
absl::Status LowerArithmetic(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_ARITHMETIC_STEP_H_
