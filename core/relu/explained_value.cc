#include "core/relu/explained_value.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/plan/graph_uses.h"
#include "core/plan/storage.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

bool IsRename(Operator op) {
  return op == Operator::kReshape || op == Operator::kFlatten ||
         op == Operator::kSqueeze || op == Operator::kUnsqueeze;
}

Link LinkOf(Operator op) {
  switch (op) {
    case Operator::kSigmoid:
      return Link::kSigmoid;
    case Operator::kSoftmax:
      return Link::kSoftmax;
    case Operator::kLogSoftmax:
      return Link::kLogSoftmax;
    default:
      return Link::kNone;
  }
}

// A Softmax along an axis whose elements are not neighbours stays: 0.
std::size_t LinkSize(const Graph& graph, const Node& node) {
  if (node.op == Operator::kSigmoid) {
    return 1;
  }
  const Value& value = graph.values[node.inputs[0]];
  const std::int64_t axis = IntAttribute(node, "axis");
  if (!value.is_batched() || axis < 1) {
    return 0;
  }
  const AxisSplit split = SplitRow(value, axis);
  if (IntAttribute(node, "flatten") != 0) {
    return split.size * split.inner;
  }
  return split.inner == 1 ? split.size : 0;
}

// Leaves out the link at the end of the output, and what only gives the same
// elements another shape after it.
ExplainedValue BeforeLink(const Graph& graph, ValueId output) {
  const GraphUses uses(graph);
  ValueId id = output;
  while (const std::optional<std::size_t> producer = uses.Producer(id)) {
    const Node& node = graph.nodes[*producer];
    if (const Link link = LinkOf(node.op); link != Link::kNone) {
      const std::size_t size = LinkSize(graph, node);
      return size == 0 ? ExplainedValue{.output = output, .value = output}
                       : ExplainedValue{.output = output,
                                        .value = node.inputs[0],
                                        .link = link,
                                        .link_size = size};
    }
    if (!IsRename(node.op)) {
      break;
    }
    id = node.inputs[0];
  }
  return {.output = output, .value = output};
}

absl::StatusOr<ValueId> FindOutput(const Graph& graph,
                                   std::string_view output) {
  std::string names;
  for (const ValueId id : graph.outputs) {
    const Value& value = graph.values[id];
    if (IsFloatingPoint(value.type) &&
        (output.empty() || output == value.name)) {
      return id;
    }
    names += fmt::format("{}\"{}\" ({})", names.empty() ? "" : ", ", value.name,
                         DataTypeName(value.type));
  }
  return absl::NotFoundError(
      fmt::format("output \"{}\": the model has {}; explained are outputs of "
                  "floats",
                  output, names));
}

}  // namespace

absl::StatusOr<ExplainedValue> FindExplainedValue(const Graph& graph,
                                                  std::string_view output) {
  ASSIGN_OR_RETURN(const ValueId id, FindOutput(graph, output));
  return BeforeLink(graph, id);
}

}  // namespace relu
