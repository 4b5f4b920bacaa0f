#include "core/relu/layout_lowering.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/plan/index_table.h"
#include "core/plan/storage.h"
#include "core/relu/network_builder.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

absl::Status LowerGather(const Node& node, NetworkBuilder& builder) {
  if (builder.IsConstant(node.inputs[0])) {
    return builder.IsIntegers(node.inputs[1])
               ? builder.Lookup(node)
               : RefuseToExplain(node, "its indices are computed");
  }
  const Value& indices = builder.value(node.inputs[1]);
  if (indices.constant == nullptr) {
    return RefuseToExplain(node, "its indices are computed");
  }
  const AxisSplit split =
      SplitRow(builder.value(node.inputs[0]), IntAttribute(node, "axis"));
  const auto size = static_cast<std::int64_t>(split.size);
  std::vector<std::int64_t> positions = ToIntegers(*indices.constant);
  for (std::int64_t& position : positions) {
    position += position < 0 ? size : 0;
    if (position < 0 || position >= size) {
      return absl::InvalidArgumentError(
          fmt::format("{}: an index is outside of a dimension of {}",
                      NodeText(node), size));
    }
  }
  builder.Move(node.inputs[0], node.outputs[0],
               SelectionTable({.outer = split.outer,
                               .size = split.size,
                               .inner = split.inner,
                               .positions = positions}));
  return absl::OkStatus();
}

absl::Status LowerConcat(const Node& node, NetworkBuilder& builder) {
  const Value& result = builder.value(node.outputs[0]);
  const AxisSplit whole = SplitRow(result, IntAttribute(node, "axis"));
  std::vector<NetworkBuilder::Part> parts;
  std::int64_t first = 0;
  for (const ValueId id : node.inputs) {
    if (!builder.value(id).is_batched()) {
      return RefuseToExplain(node, "it takes in a constant");
    }
    const AxisSplit split =
        SplitRow(builder.value(id), IntAttribute(node, "axis"));
    std::vector<std::int64_t> positions;
    for (std::size_t i = 0; i < split.size; ++i) {
      positions.push_back(first++);
    }
    parts.push_back({.from = id,
                     .to = SelectionTable({.outer = whole.outer,
                                           .size = whole.size,
                                           .inner = whole.inner,
                                           .positions = positions})});
  }
  return builder.Concat(node, parts, node.outputs[0]);
}

void LowerTranspose(const Node& node, NetworkBuilder& builder) {
  std::vector<std::int64_t> permutation = IntsAttribute(node, "perm");
  permutation.erase(permutation.begin());
  for (std::int64_t& from : permutation) {
    --from;  // Within a row.
  }
  builder.Move(
      node.inputs[0], node.outputs[0],
      TransposeTable(RowShape(builder.value(node.inputs[0])), permutation));
}

// Slice and Split.
void LowerRanges(const Node& node, NetworkBuilder& builder) {
  const Value& source = builder.value(node.inputs[0]);
  const bool is_slice = node.op == Operator::kSlice;
  std::int64_t start = 0;
  for (const ValueId output : node.outputs) {
    const Shape& shape = builder.value(output).shape;
    std::vector<AxisRange> ranges;
    for (std::size_t i = 1; i < source.shape.size(); ++i) {
      AxisRange range{.size = source.shape[i], .count = shape[i]};
      if (is_slice) {
        range.start = IntsAttribute(node, "starts")[i];
        range.step = IntsAttribute(node, "steps")[i];
      } else if (static_cast<std::int64_t>(i) == IntAttribute(node, "axis")) {
        range.start = start;
        start += shape[i];
      }
      ranges.push_back(range);
    }
    builder.Move(node.inputs[0], output, RangeTable(ranges));
  }
}

absl::Status LowerExpand(const Node& node, NetworkBuilder& builder) {
  const Value& source = builder.value(node.inputs[0]);
  const Value& result = builder.value(node.outputs[0]);
  std::optional<IndexTable> table;
  if (source.is_batched() && source.shape.size() == result.shape.size()) {
    table = BroadcastTable(RowShape(source), RowShape(result));
  }
  if (!table.has_value()) {
    return RefuseToExplain(node, "it does not repeat row by row");
  }
  builder.Move(node.inputs[0], node.outputs[0], *std::move(table));
  return absl::OkStatus();
}

}  // namespace

absl::Status LowerLayout(const Node& node, NetworkBuilder& builder) {
  switch (node.op) {
    case Operator::kConcat:
      return LowerConcat(node, builder);
    case Operator::kExpand:
      return LowerExpand(node, builder);
    case Operator::kGather:
      return LowerGather(node, builder);
    case Operator::kTranspose:
      LowerTranspose(node, builder);
      return absl::OkStatus();
    case Operator::kSlice:
    case Operator::kSplit:
      LowerRanges(node, builder);
      return absl::OkStatus();
    default:
      builder.Alias(node.outputs[0], node.inputs[0]);
      return absl::OkStatus();
  }
}

}  // namespace relu
