// The steps of comparisons, of And, Or, Xor and Not, and of Where.

#ifndef CORE_PLAN_LOGIC_STEP_H_
#define CORE_PLAN_LOGIC_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// Equal, Greater, GreaterOrEqual, Less, LessOrEqual: a comparison with NaN is
// false. Errors: UNIMPLEMENTED for other types than BOOL, UINT8, INT32, INT64
// and those that are stored as float32.
absl::Status LowerComparison(const Node& node, PlanBuilder& plan);

// And, Or, Xor, Not. Any byte but 0 is true; results are 0 and 1.
absl::Status LowerLogic(const Node& node, PlanBuilder& plan);

// Where: takes one of two values, element by element, of any type.
absl::Status LowerWhere(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_LOGIC_STEP_H_
