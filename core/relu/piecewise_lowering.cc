#include "core/relu/piecewise_lowering.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/channel_affine.h"
#include "core/plan/compile_options.h"
#include "core/plan/dense_layer.h"
#include "core/plan/graph_uses.h"
#include "core/plan/rewrite.h"
#include "core/plan/storage.h"
#include "core/relu/explained_value.h"
#include "core/relu/layout_lowering.h"
#include "core/relu/network_builder.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Lowers the nodes that the only output of a graph needs. For one use.
class Lowering {
 public:
  Lowering(const Graph& graph, WeightStorage weights)
      : graph_(graph),
        weights_(weights),
        uses_(graph),
        builder_(graph),
        taken_(graph.nodes.size(), false) {}

  absl::StatusOr<PiecewiseNetwork> Run() {
    RETURN_IF_ERROR(FindLayers());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (uses_.IsLive(i) && !taken_[i]) {
        const auto layer = layers_.find(i);
        RETURN_IF_ERROR(layer != layers_.end() ? LowerLayer(layer->second)
                                               : Lower(graph_.nodes[i]));
      }
    }
    return builder_.Finish(graph_.outputs[0]);
  }

 private:
  absl::Status FindLayers();
  absl::Status LowerLayer(DenseLayer& layer);
  absl::Status Lower(const Node& node);
  absl::Status LowerArithmetic(const Node& node);
  absl::Status LowerWithConstant(const Node& node, std::size_t variable);
  absl::Status LowerSum(const Node& node);
  absl::Status LowerBounds(const Node& node);
  absl::Status LowerNormalization(const Node& node);
  absl::Status LowerHardSigmoid(const Node& node);
  absl::Status LowerPRelu(const Node& node);
  absl::Status LowerClip(const Node& node);
  absl::Status LowerFunction(const Node& node, const PiecewiseLinear& function);
  absl::Status LowerCast(const Node& node);

  const Value& value(ValueId id) const { return graph_.values[id]; }
  // The constant at input `index`, for each element of the result.
  absl::StatusOr<std::vector<float>> ConstantRow(const Node& node,
                                                 std::size_t index) const;

  const Graph& graph_;
  WeightStorage weights_;
  GraphUses uses_;
  NetworkBuilder builder_;
  std::vector<bool> taken_;  // By node: part of the layer of another node.
  std::map<std::size_t, DenseLayer> layers_;  // By the node of the product.
};

// As the compiler of the plan does, so that the layers are the same.
absl::Status Lowering::FindLayers() {
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    if ((node.op != Operator::kGemm && node.op != Operator::kMatMul) ||
        !uses_.IsLive(i) || RowElements(value(node.outputs[0])) == 0) {
      continue;
    }
    ASSIGN_OR_RETURN(DenseLayer layer,
                     FindDenseLayer(graph_, uses_, i, taken_));
    for (const std::size_t node_index : layer.nodes) {
      taken_[node_index] = node_index != i;
    }
    layers_.emplace(i, std::move(layer));
  }
  return absl::OkStatus();
}

absl::Status Lowering::LowerLayer(DenseLayer& layer) {
  const Node& node = graph_.nodes[layer.product];
  ASSIGN_OR_RETURN(const Slot input, builder_.Floats(node, layer.input));
  if (layer.k == 0) {
    return RefuseToExplain(node, "it has no inputs");
  }
  RETURN_IF_ERROR(ReadWeights(graph_, layer));
  if (weights_ == WeightStorage::kFloat16) {
    for (float& weight : layer.weights) {
      weight = Fp16ToFloat(FloatToFp16(weight));
    }
  }
  const Slot sums = builder_.Define(layer.output);
  builder_.AddLayer(layer, input, sums);
  if (layer.activation == kernels::Activation::kRelu) {
    builder_.Place(layer.output, builder_.AddActivation(sums, {LeakyRelu(0)}));
  }
  layer.weights = {};  // Packed by now.
  return absl::OkStatus();
}

absl::StatusOr<std::vector<float>> Lowering::ConstantRow(
    const Node& node, std::size_t index) const {
  ASSIGN_OR_RETURN(const Tensor row,
                   ExpandConstant(node, *value(node.inputs[index]).constant,
                                  value(node.outputs[0])));
  const std::span<const float> floats = row.As<float>();
  return std::vector<float>(floats.begin(), floats.end());
}

absl::Status Lowering::LowerArithmetic(const Node& node) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (builder_.IsIntegers(node.inputs[i])) {
      return builder_.IntegerArithmetic(node);
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    if (builder_.IsConstant(node.inputs[i])) {
      return LowerWithConstant(node, 1 - i);
    }
  }
  if (node.op == Operator::kMul || node.op == Operator::kDiv) {
    return RefuseToExplain(node,
                           "it multiplies or divides two computed values");
  }
  return LowerSum(node);
}

absl::Status Lowering::LowerWithConstant(const Node& node,
                                         std::size_t variable) {
  using Kind = ArithmeticOp::Kind;
  if (node.op == Operator::kDiv && variable == 1) {
    return RefuseToExplain(node, "it divides by a computed value");
  }
  ASSIGN_OR_RETURN(
      const Slot input,
      builder_.FloatsLike(node, node.inputs[variable], value(node.outputs[0])));
  ASSIGN_OR_RETURN(std::vector<float> constants,
                   ConstantRow(node, 1 - variable));
  Kind kind = Kind::kAdd;
  if (node.op == Operator::kSub) {
    kind = variable == 0 ? Kind::kSubtract : Kind::kSubtractFrom;
  } else if (node.op != Operator::kAdd) {
    kind = node.op == Operator::kMul ? Kind::kMultiply : Kind::kDivide;
  }
  builder_.Place(node.outputs[0],
                 builder_.AddArithmetic(kind, input, std::move(constants)));
  return absl::OkStatus();
}

// Add, Sub, Sum and Mean of computed values.
absl::Status Lowering::LowerSum(const Node& node) {
  const Value& result = value(node.outputs[0]);
  ASSIGN_OR_RETURN(Slot sum, builder_.FloatsLike(node, node.inputs[0], result));
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    ASSIGN_OR_RETURN(const Slot next,
                     builder_.FloatsLike(node, node.inputs[i], result));
    sum = builder_.AddSum(sum, next, node.op == Operator::kSub ? -1.0F : 1.0F);
  }
  if (node.op == Operator::kMean) {
    const auto count = static_cast<float>(node.inputs.size());
    sum = builder_.AddArithmetic(ArithmeticOp::Kind::kDivide, sum,
                                 std::vector<float>(sum.size, count));
  }
  builder_.Place(node.outputs[0], sum);
  return absl::OkStatus();
}

// Max and Min with a constant.
absl::Status Lowering::LowerBounds(const Node& node) {
  if (node.inputs.size() == 1) {
    builder_.Alias(node.outputs[0], node.inputs[0]);
    return absl::OkStatus();
  }
  const bool second = builder_.IsConstant(node.inputs[0]);
  if (node.inputs.size() != 2 ||
      (!second && !builder_.IsConstant(node.inputs[1]))) {
    return RefuseToExplain(node, "it compares computed values");
  }
  const std::size_t variable = second ? 1 : 0;
  ASSIGN_OR_RETURN(
      const Slot input,
      builder_.FloatsLike(node, node.inputs[variable], value(node.outputs[0])));
  ASSIGN_OR_RETURN(const std::vector<float> bounds,
                   ConstantRow(node, 1 - variable));
  std::vector<PiecewiseLinear> functions;
  for (const float bound : bounds) {
    functions.push_back(node.op == Operator::kMax ? Clip(bound, kInfinity)
                                                  : Clip(-kInfinity, bound));
  }
  if (std::ranges::all_of(
          bounds, [&](float bound) { return bound == bounds.front(); })) {
    functions.resize(1);
  }
  builder_.Place(node.outputs[0],
                 builder_.AddActivation(input, std::move(functions)));
  return absl::OkStatus();
}

absl::Status Lowering::LowerNormalization(const Node& node) {
  using Kind = ArithmeticOp::Kind;
  ASSIGN_OR_RETURN(Slot slot, builder_.Floats(node, node.inputs[0]));
  ASSIGN_OR_RETURN(const ChannelAffine affine,
                   ReadBatchNormalization(graph_, node));
  const auto spread = [&](const std::vector<double>& channels) {
    std::vector<float> row(slot.size);
    const std::size_t inner = slot.size / channels.size();
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<float>(channels[i / inner]);
    }
    return row;
  };
  slot = builder_.AddArithmetic(Kind::kMultiply, slot, spread(affine.scale));
  slot = builder_.AddArithmetic(Kind::kAdd, slot, spread(affine.shift));
  builder_.Place(node.outputs[0], slot);
  return absl::OkStatus();
}

// max(0, min(1, alpha * x + beta)).
absl::Status Lowering::LowerHardSigmoid(const Node& node) {
  using Kind = ArithmeticOp::Kind;
  ASSIGN_OR_RETURN(Slot slot, builder_.Floats(node, node.inputs[0]));
  const auto all = [&slot](float number) {
    return std::vector<float>(slot.size, number);
  };
  slot = builder_.AddArithmetic(Kind::kMultiply, slot,
                                all(FloatAttribute(node, "alpha")));
  slot = builder_.AddArithmetic(Kind::kAdd, slot,
                                all(FloatAttribute(node, "beta")));
  builder_.Place(node.outputs[0], builder_.AddActivation(slot, {Clip(0, 1)}));
  return absl::OkStatus();
}

absl::Status Lowering::LowerFunction(const Node& node,
                                     const PiecewiseLinear& function) {
  ASSIGN_OR_RETURN(const Slot input, builder_.Floats(node, node.inputs[0]));
  builder_.Place(node.outputs[0], builder_.AddActivation(input, {function}));
  return absl::OkStatus();
}

absl::Status Lowering::LowerPRelu(const Node& node) {
  if (!builder_.IsConstant(node.inputs[1])) {
    return RefuseToExplain(node, "its slope is computed");
  }
  ASSIGN_OR_RETURN(const Slot input, builder_.Floats(node, node.inputs[0]));
  ASSIGN_OR_RETURN(const std::vector<float> slopes, ConstantRow(node, 1));
  std::vector<PiecewiseLinear> functions;
  for (const float slope : slopes) {
    functions.push_back(LeakyRelu(slope));
  }
  builder_.Place(node.outputs[0],
                 builder_.AddActivation(input, std::move(functions)));
  return absl::OkStatus();
}

absl::Status Lowering::LowerClip(const Node& node) {
  // Bounds of integers are no attributes.
  RETURN_IF_ERROR(builder_.Floats(node, node.inputs[0]).status());
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNoValue && !builder_.IsConstant(node.inputs[i])) {
      return RefuseToExplain(node, "a bound is computed");
    }
  }
  const float min = FloatAttribute(node, "min");
  const float max = FloatAttribute(node, "max");
  if (!(min < max)) {
    return RefuseToExplain(node,
                           fmt::format("its bounds are {} and {}", min, max));
  }
  return LowerFunction(node, Clip(min, max));
}

absl::Status Lowering::LowerCast(const Node& node) {
  const bool from_floats = IsFloatingPoint(value(node.inputs[0]).type);
  const DataType to = value(node.outputs[0]).type;
  if (to == DataType::kBool) {
    return RefuseToExplain(node, "it makes truth values of numbers");
  }
  if (from_floats) {
    if (!IsFloatingPoint(to)) {
      return builder_.FloatsToIntegers(node);
    }
    builder_.Alias(node.outputs[0], node.inputs[0]);
    return absl::OkStatus();
  }
  if (!builder_.IsIntegers(node.inputs[0])) {
    return RefuseToExplain(node, "it makes numbers of truth values");
  }
  if (!IsFloatingPoint(to)) {
    return builder_.IntegersToIntegers(node);
  }
  builder_.IntegersToFloats(node);
  return absl::OkStatus();
}

absl::Status Lowering::Lower(const Node& node) {
  switch (node.op) {
    case Operator::kAdd:
    case Operator::kSub:
    case Operator::kMul:
    case Operator::kDiv:
      return LowerArithmetic(node);
    case Operator::kSum:
    case Operator::kMean:
      return LowerSum(node);
    case Operator::kMax:
    case Operator::kMin:
      return LowerBounds(node);
    case Operator::kBatchNormalization:
      return LowerNormalization(node);
    case Operator::kHardSigmoid:
      return LowerHardSigmoid(node);
    case Operator::kRelu:
      return LowerFunction(node, LeakyRelu(0));
    case Operator::kLeakyRelu:
      return LowerFunction(node, LeakyRelu(FloatAttribute(node, "alpha")));
    case Operator::kAbs:
      return LowerFunction(node, Abs());
    case Operator::kNeg: {
      ASSIGN_OR_RETURN(const Slot input, builder_.Floats(node, node.inputs[0]));
      builder_.Place(
          node.outputs[0],
          builder_.AddArithmetic(ArithmeticOp::Kind::kMultiply, input,
                                 std::vector<float>(input.size, -1.0F)));
      return absl::OkStatus();
    }
    case Operator::kPRelu:
      return LowerPRelu(node);
    case Operator::kClip:
      return LowerClip(node);
    case Operator::kCast:
      return LowerCast(node);
    case Operator::kConcat:
    case Operator::kExpand:
    case Operator::kFlatten:
    case Operator::kGather:
    case Operator::kReshape:
    case Operator::kSlice:
    case Operator::kSplit:
    case Operator::kSqueeze:
    case Operator::kTranspose:
    case Operator::kUnsqueeze:
      return LowerLayout(node, builder_);
    default:
      return RefuseToExplain(node, "it is not piecewise linear");
  }
}

}  // namespace

absl::StatusOr<PiecewiseNetwork> LowerToPiecewise(const Graph& graph,
                                                  std::string_view output,
                                                  WeightStorage weights) {
  if (graph.couples_rows) {
    return absl::UnimplementedError(
        "the rows of the model depend on each other, or it has no batch "
        "dimension; explained are models whose rows stand for themselves");
  }
  ASSIGN_OR_RETURN(const ExplainedValue target,
                   FindExplainedValue(graph, output));
  if (!graph.values[target.value].is_batched() ||
      graph.values[target.value].constant != nullptr) {
    return absl::UnimplementedError(
        fmt::format("output \"{}\": it does not depend on the inputs",
                    graph.values[target.output].name));
  }
  Graph reduced = graph;  // Shares the constants.
  reduced.outputs = {target.value};
  const RewrittenGraph rewritten = Rewrite(reduced);
  ASSIGN_OR_RETURN(PiecewiseNetwork network,
                   Lowering(rewritten.graph, weights).Run());
  network.output_name = graph.values[target.output].name;
  network.link = target.link;
  network.link_size = target.link_size;
  return network;
}

}  // namespace relu
