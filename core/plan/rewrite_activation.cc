#include "core/plan/rewrite_activation.h"

#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/plan/graph_pattern.h"

namespace relu {
namespace {

constexpr double kSixth = 1.0 / 6.0;

Node Unary(Operator op, ValueId x, Attributes attributes = {}) {
  Node node;
  node.op = op;
  node.inputs = {x};
  node.attributes = std::move(attributes);
  return node;
}

std::optional<Node> AsRelu(const GraphPattern& pattern, const Node& node) {
  if (node.op == Operator::kMax) {
    const auto max = pattern.SplitNumber(node.outputs[0], Operator::kMax);
    if (max.has_value() && max->number == 0.0) {
      return Unary(Operator::kRelu, max->x);
    }
  }
  const bool has_bounds =
      node.op == Operator::kClip && node.attributes.contains("min") &&
      node.attributes.contains("max") &&
      (node.inputs.size() < 2 || node.inputs[1] == kNoValue ||
       pattern.value(node.inputs[1]).constant != nullptr) &&
      (node.inputs.size() < 3 || node.inputs[2] == kNoValue ||
       pattern.value(node.inputs[2]).constant != nullptr);
  if (has_bounds && FloatAttribute(node, "min") == 0.0F &&
      FloatAttribute(node, "max") >= std::numeric_limits<float>::max()) {
    return Unary(Operator::kRelu, node.inputs[0]);
  }
  return std::nullopt;
}

std::optional<Node> AsSquare(const GraphPattern& pattern, const Node& node) {
  if (node.op != Operator::kPow || pattern.Number(node.inputs[1]) != 2.0) {
    return std::nullopt;
  }
  Node square = Unary(Operator::kMul, node.inputs[0]);
  square.inputs.push_back(node.inputs[0]);
  return square;
}

// x if `id` is Clip(x + 3, 0, 6); else kNoValue.
ValueId ClippedAtSix(const GraphPattern& pattern, ValueId id) {
  const Node* clip = pattern.Producer(id, Operator::kClip);
  if (clip == nullptr || !clip->attributes.contains("min") ||
      !clip->attributes.contains("max") ||
      FloatAttribute(*clip, "min") != 0.0F ||
      FloatAttribute(*clip, "max") != 6.0F) {
    return kNoValue;
  }
  const auto sum = pattern.SplitNumber(clip->inputs[0], Operator::kAdd);
  return sum.has_value() && sum->number == 3.0 ? sum->x : kNoValue;
}

bool IsSixthHardSigmoid(const Node& node) {
  return IsClose(static_cast<double>(FloatAttribute(node, "alpha")), kSixth) &&
         FloatAttribute(node, "beta") == 0.5F;
}

// x * gate, where gate is a function of x.
std::optional<Node> AsGated(const GraphPattern& pattern, ValueId x,
                            ValueId gate) {
  if (const Node* sigmoid = pattern.Producer(gate, Operator::kSigmoid)) {
    const ValueId inner = sigmoid->inputs[0];
    if (inner == x) {
      return Unary(Operator::kSwish, x, {{"alpha", 1.0F}});
    }
    const auto scaled = pattern.SplitNumber(inner, Operator::kMul);
    if (scaled.has_value() && scaled->x == x) {
      return Unary(Operator::kSwish, x,
                   {{"alpha", static_cast<float>(scaled->number)}});
    }
  }
  const Node* hard = pattern.Producer(gate, Operator::kHardSigmoid);
  if (hard != nullptr && hard->inputs[0] == x && IsSixthHardSigmoid(*hard)) {
    return Unary(Operator::kHardSwish, x);
  }
  if (const Node* tanh = pattern.Producer(gate, Operator::kTanh)) {
    const Node* plus = pattern.Producer(tanh->inputs[0], Operator::kSoftplus);
    if (plus != nullptr && plus->inputs[0] == x) {
      return Unary(Operator::kMish, x);
    }
  }
  return std::nullopt;
}

// Clip(x + 3, 0, 6) / 6, and that times x in any order.
std::optional<Node> AsHard(const GraphPattern& pattern, const Node& node) {
  const Product whole = pattern.Factors(node.outputs[0]);
  if (!IsClose(whole.constant, kSixth)) {
    return std::nullopt;
  }
  for (const ValueId factor : whole.factors) {
    const ValueId x = ClippedAtSix(pattern, factor);
    if (x == kNoValue) {
      continue;
    }
    const Product product = pattern.Factors(node.outputs[0], x);
    if (!IsClose(product.constant, kSixth)) {
      continue;
    }
    if (product.factors.size() == 1) {
      return Unary(Operator::kHardSigmoid, x,
                   {{"alpha", static_cast<float>(kSixth)}, {"beta", 0.5F}});
    }
    if (product.factors.size() == 2 &&
        (product.factors[0] == x || product.factors[1] == x)) {
      return Unary(Operator::kHardSwish, x);
    }
  }
  return std::nullopt;
}

std::optional<Node> Find(const GraphPattern& pattern, const Node& node) {
  if (auto relu = AsRelu(pattern, node)) {
    return relu;
  }
  if (auto square = AsSquare(pattern, node)) {
    return square;
  }
  if (node.op != Operator::kMul && node.op != Operator::kDiv) {
    return std::nullopt;
  }
  if (node.op == Operator::kMul) {
    for (const int first : {0, 1}) {
      const ValueId x = node.inputs[first == 0 ? 0 : 1];
      const ValueId gate = node.inputs[first == 0 ? 1 : 0];
      if (auto gated = AsGated(pattern, x, gate)) {
        return gated;
      }
    }
  }
  return AsHard(pattern, node);
}

}  // namespace

std::optional<Node> AsActivation(const GraphPattern& pattern,
                                 const Node& node) {
  std::optional<Node> found = Find(pattern, node);
  // Constants of more dimensions would have changed the shape.
  const bool same_shape =
      found.has_value() && pattern.value(found->inputs[0]).shape ==
                               pattern.value(node.outputs[0]).shape;
  return same_shape ? found : std::nullopt;
}

}  // namespace relu
