#include "core/plan/slice_step.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/index_table.h"
#include "core/plan/plan_builder.h"
#include "core/plan/rearrange_step.h"
#include "core/plan/storage.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

bool IsRange(const IndexTable& table) {
  for (std::size_t i = 1; i < table.size(); ++i) {
    if (table[i] != table[0] + i) {
      return false;
    }
  }
  return true;
}

// Makes `output` of the elements of `input` that the table names.
void LowerParts(ValueId input, ValueId output, std::string_view name,
                IndexTable table, PlanBuilder& plan) {
  const std::size_t source = plan.BufferOf(input);
  const std::size_t element_bytes =
      DataTypeSize(StorageType(plan.value(input).type));
  if (table.empty()) {
    plan.Define(output);
  } else if (IsRange(table)) {
    plan.Place(output, plan.AddColumns(source, table[0] * element_bytes,
                                       table.size() * element_bytes));
  } else {
    plan.Place(output, Rearrange({.name = name,
                                  .source = source,
                                  .element_bytes = element_bytes,
                                  .table = std::move(table)},
                                 plan));
  }
}

}  // namespace

void LowerSlice(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  const Value& result = plan.value(node.outputs[0]);
  const std::vector<std::int64_t>& starts = IntsAttribute(node, "starts");
  const std::vector<std::int64_t>& steps = IntsAttribute(node, "steps");
  std::vector<AxisRange> ranges;
  for (std::size_t i = 1; i < value.shape.size(); ++i) {
    ranges.push_back({.size = value.shape[i],
                      .start = starts[i],
                      .step = steps[i],
                      .count = result.shape[i]});
  }
  LowerParts(node.inputs[0], node.outputs[0], "slice", RangeTable(ranges),
             plan);
}

void LowerSplit(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  const std::int64_t axis = IntAttribute(node, "axis");
  std::int64_t start = 0;
  for (const ValueId output : node.outputs) {
    std::vector<AxisRange> ranges;
    for (std::size_t i = 1; i < value.shape.size(); ++i) {
      const bool is_axis = static_cast<std::int64_t>(i) == axis;
      ranges.push_back({.size = value.shape[i],
                        .start = is_axis ? start : 0,
                        .step = 1,
                        .count = plan.value(output).shape[i]});
    }
    start += plan.value(output).shape[static_cast<std::size_t>(axis)];
    if (plan.uses().IsUsed(output)) {
      LowerParts(node.inputs[0], output, "split", RangeTable(ranges), plan);
    }
  }
}

absl::Status LowerExpand(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  const Value& result = plan.value(node.outputs[0]);
  std::optional<IndexTable> table;
  if (value.is_batched() && value.shape.size() == result.shape.size()) {
    table = BroadcastTable(RowShape(value), RowShape(result));
  }
  if (!table.has_value()) {
    return absl::UnimplementedError(fmt::format(
        "{}: a value of shape {} is not expanded to {} row by row",
        NodeText(node), ShapeText(value.shape), ShapeText(result.shape)));
  }
  LowerParts(node.inputs[0], node.outputs[0], "expand", *std::move(table),
             plan);
  return absl::OkStatus();
}

}  // namespace relu
