#include "core/plan/operand.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/plan/index_table.h"
#include "core/plan/plan_builder.h"
#include "core/plan/rearrange_step.h"
#include "core/plan/storage.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

absl::StatusOr<Operand> MakeOperand(const Node& node, std::size_t index,
                                    const Value& like, PlanBuilder& plan) {
  const ValueId id = node.inputs[index];
  const Value& value = plan.value(id);
  Operand operand;
  if (value.constant != nullptr) {
    ASSIGN_OR_RETURN(operand.constant,
                     ExpandConstant(node, *value.constant, like));
    return operand;
  }
  operand.buffer = plan.BufferOf(id);
  if (value.shape == like.shape) {
    return operand;
  }
  std::optional<IndexTable> table;
  if (value.shape.size() == like.shape.size()) {
    table = BroadcastTable(RowShape(value), RowShape(like));
  }
  if (!table.has_value()) {
    return absl::UnimplementedError(fmt::format(
        "{}: value \"{}\" of shape {} does not go into a result of shape {} "
        "row by row",
        NodeText(node), value.name, ShapeText(value.shape),
        ShapeText(like.shape)));
  }
  operand.buffer =
      Rearrange({.name = "broadcast",
                 .source = operand.buffer,
                 .element_bytes = DataTypeSize(StorageType(value.type)),
                 .table = *std::move(table)},
                plan);
  return operand;
}

std::size_t ConstantBytes(std::span<const Operand> operands) {
  std::size_t total_bytes = 0;
  for (const Operand& operand : operands) {
    total_bytes +=
        operand.constant.has_value() ? operand.constant->bytes().size() : 0;
  }
  return total_bytes;
}

std::vector<std::size_t> BuffersOf(std::span<const Operand> operands,
                                   std::size_t output) {
  std::vector<std::size_t> buffers{output};
  for (const Operand& operand : operands) {
    if (!operand.constant.has_value()) {
      buffers.push_back(operand.buffer);
    }
  }
  return buffers;
}

}  // namespace relu
