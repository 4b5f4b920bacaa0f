#include "core/graph/row_coupling.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/graph/graph.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

const Value* InputOf(const Graph& graph, const Node& node, std::size_t index) {
  return index < node.inputs.size() && node.inputs[index] != kNoValue
             ? &graph.values[node.inputs[index]]
             : nullptr;
}

// The batch comes first, and nowhere else.
bool IsRowWise(const Value& value) {
  return value.is_batched() && std::ranges::count(value.shape, kBatchDim) == 1;
}

// Whether inputs from `first` on are constants: parameters of the operator.
bool AreConstant(const Graph& graph, const Node& node, std::size_t first) {
  for (std::size_t i = first; i < node.inputs.size(); ++i) {
    const Value* const input = InputOf(graph, node, i);
    if (input != nullptr && input->constant == nullptr) {
      return false;
    }
  }
  return true;
}

// Broadcasting aligns shapes at their ends, so an operand with fewer dimensions
// would bring its batch elsewhere than the result has it.
bool AlignsBatch(const Graph& graph, const Node& node) {
  const std::size_t rank = graph.values[node.outputs[0]].shape.size();
  return std::ranges::all_of(node.inputs, [&](ValueId input) {
    return input == kNoValue || !graph.values[input].is_batched() ||
           graph.values[input].shape.size() == rank;
  });
}

bool IsBehindBatch(const Node& node) { return IntAttribute(node, "axis") > 0; }

// a[N, .., k] times the same matrix for all rows, or the same times b[N, k, n],
// or a[N, .., m, k] times b[N, .., k, n].
bool MultipliesByRow(const Value& a, const Value& b) {
  if (!b.is_batched()) {
    // A stack of matrices could meet the batch itself.
    return b.shape.size() <= 2 || b.shape.size() < a.shape.size() ||
           (b.shape.size() == a.shape.size() && b.shape[0] == 1);
  }
  if (b.shape.size() < 3) {
    return false;
  }
  return a.is_batched()
             ? a.shape.size() == b.shape.size()
             : a.shape.size() < b.shape.size() ||
                   (a.shape.size() == b.shape.size() && a.shape[0] == 1);
}

bool KeepsRowsInGemm(const Graph& graph, const Node& node) {
  const Value* const c = InputOf(graph, node, 2);
  return InputOf(graph, node, 0)->is_batched() &&
         IntAttribute(node, "transA") == 0 &&
         !InputOf(graph, node, 1)->is_batched() &&
         (c == nullptr || !c->is_batched() || c->shape.size() == 2);
}

bool KeepsRowsInGather(const Graph& graph, const Node& node) {
  const Value& data = *InputOf(graph, node, 0);
  const Value& indices = *InputOf(graph, node, 1);
  return data.is_batched() ? IsBehindBatch(node) && !indices.is_batched()
                           : !IsBehindBatch(node);
}

// Of a node whose operands and results are row-wise.
bool KeepsRows(const Graph& graph, const Node& node) {
  switch (node.op) {
    case Operator::kArgMax:
    case Operator::kArgMin:
    case Operator::kConcat:
    case Operator::kLogSoftmax:
    case Operator::kSoftmax:
    case Operator::kSplit:
    case Operator::kTopK:
      return IsBehindBatch(node);
    case Operator::kLayerNormalization:
      return IsBehindBatch(node) && AreConstant(graph, node, 1);
    case Operator::kBatchNormalization:
      return AreConstant(graph, node, 1);
    case Operator::kQuantizeLinear:
    case Operator::kDequantizeLinear:
      return AreConstant(graph, node, 1) &&
             (IsBehindBatch(node) ||
              ElementCount(InputOf(graph, node, 1)->shape) == 1);
    case Operator::kClip:
      return AreConstant(graph, node, 1);
    case Operator::kDynamicQuantizeLinear:
    case Operator::kShape:
    case Operator::kSize:
      return false;
    case Operator::kGather:
      return KeepsRowsInGather(graph, node);
    case Operator::kGemm:
      return KeepsRowsInGemm(graph, node);
    case Operator::kMatMul:
      return MultipliesByRow(*InputOf(graph, node, 0),
                             *InputOf(graph, node, 1));
    case Operator::kMatMulInteger:
      return AreConstant(graph, node, 2) &&
             MultipliesByRow(*InputOf(graph, node, 0),
                             *InputOf(graph, node, 1));
    case Operator::kQLinearMatMul:
      return AreConstant(graph, node, 4) && InputOf(graph, node, 1)->constant &&
             InputOf(graph, node, 2)->constant &&
             MultipliesByRow(*InputOf(graph, node, 0),
                             *InputOf(graph, node, 3));
    case Operator::kReduceMax:
    case Operator::kReduceMean:
    case Operator::kReduceMin:
    case Operator::kReduceProd:
    case Operator::kReduceSum: {
      const std::vector<std::int64_t>& axes = IntsAttribute(node, "axes");
      return std::ranges::find(axes, 0) == axes.end();
    }
    case Operator::kTranspose:
      return IntsAttribute(node, "perm")[0] == 0;
    case Operator::kReshape:
    case Operator::kFlatten:
    case Operator::kSqueeze:
    case Operator::kUnsqueeze:
    case Operator::kSlice:
      return true;  // The batch is first before and after.
    default:
      return AlignsBatch(graph, node);  // Element by element.
  }
}

bool IsRowWise(const Graph& graph, const Node& node) {
  const auto is_row_wise = [&](ValueId id) {
    return id == kNoValue || graph.values[id].constant != nullptr ||
           IsRowWise(graph.values[id]);
  };
  return std::ranges::all_of(node.inputs, is_row_wise) &&
         std::ranges::all_of(node.outputs, is_row_wise) &&
         KeepsRows(graph, node);
}

}  // namespace

bool CouplesRows(const Graph& graph) {
  const auto is_row_wise = [&](ValueId id) {
    return IsRowWise(graph.values[id]);
  };
  return !std::ranges::all_of(graph.inputs, is_row_wise) ||
         !std::ranges::all_of(graph.outputs, is_row_wise) ||
         !std::ranges::all_of(graph.nodes, [&](const Node& node) {
           return IsRowWise(graph, node);
         });
}

}  // namespace relu
