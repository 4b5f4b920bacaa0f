// Operand: what a step of several operands reads: a value of each row, or a
// constant that is the same for all.

#ifndef CORE_PLAN_OPERAND_H_
#define CORE_PLAN_OPERAND_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/plan/workspace.h"
#include "core/tensor/tensor.h"

namespace relu {

struct Operand {
  std::size_t buffer = 0;
  std::optional<Tensor> constant;  // If set, one row; `buffer` means nothing.

  template <typename T>
  const T* Row(Workspace& workspace, std::int64_t row) const {
    return constant.has_value()
               ? reinterpret_cast<const T*>(constant->bytes().data())
               : workspace.Row<const T>(buffer, row);
  }
};

// Input `index` of `node`, in its storage type and in the shape of `like`: a
// constant is expanded now, a computed value of another shape by a step.
// Errors: UNIMPLEMENTED if the value does not go into `like` row by row.
absl::StatusOr<Operand> MakeOperand(const Node& node, std::size_t index,
                                    const Value& like, PlanBuilder& plan);

std::size_t ConstantBytes(std::span<const Operand> operands);

// The buffers of the operands that have one, and `output`.
std::vector<std::size_t> BuffersOf(std::span<const Operand> operands,
                                   std::size_t output);

}  // namespace relu

#endif  // CORE_PLAN_OPERAND_H_
