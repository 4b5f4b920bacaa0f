// The step that moves the elements of a row: Transpose, choice of columns,
// broadcasting of one computed value to the shape of another.

#ifndef CORE_PLAN_REARRANGE_STEP_H_
#define CORE_PLAN_REARRANGE_STEP_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/index_table.h"
#include "core/plan/plan_builder.h"

namespace relu {

struct Rearrangement {
  std::string_view name;   // For Describe().
  std::size_t source = 0;  // A buffer.
  std::size_t element_bytes = 0;
  IndexTable table;
};

// Adds the step and returns the buffer of the result; the source itself, and no
// step, if nothing moves.
std::size_t Rearrange(Rearrangement rearrangement, PlanBuilder& plan);

// Errors: UNIMPLEMENTED if the batch dimension does not stay first.
absl::Status LowerTranspose(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_REARRANGE_STEP_H_
