#include "core/plan/rewrite_gelu.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/plan/graph_pattern.h"

namespace relu {
namespace {

constexpr double kCubic = 0.044715;

// Whether `product` is `constant` times these factors.
bool Is(const Product& product, std::vector<ValueId> factors, double constant) {
  std::ranges::sort(factors);
  return product.factors == factors && IsClose(product.constant, constant);
}

// x if `id` is Erf(x / sqrt(2)).
ValueId OperandOfErf(const GraphPattern& pattern, ValueId id) {
  const Node* erf = pattern.Producer(id, Operator::kErf);
  if (erf == nullptr) {
    return kNoValue;
  }
  const ValueId u = erf->inputs[0];
  const auto product = pattern.SplitNumber(u, Operator::kMul);
  if (product.has_value() &&
      IsClose(product->number, std::numbers::sqrt2 / 2)) {
    return product->x;
  }
  const auto quotient = pattern.SplitNumber(u, Operator::kDiv);
  if (quotient.has_value() && IsClose(quotient->number, std::numbers::sqrt2)) {
    return quotient->x;
  }
  return kNoValue;
}

// Whether `v`, which has the sum `sum` as a factor, is sqrt(2 / pi) *
// (x + 0.044715 * x^3), or that with x before the sum.
bool IsTanhOperand(const GraphPattern& pattern, ValueId v, const Node& sum,
                   ValueId x) {
  const double scale = std::sqrt(2.0 / std::numbers::pi);
  const Product whole = pattern.Factors(v, x);
  for (const std::size_t i : {0U, 1U}) {
    const ValueId left = sum.inputs[i];
    const Product right = pattern.Factors(sum.inputs[1 - i], x);
    if (left == x && Is(right, {x, x, x}, kCubic) &&
        Is(whole, {sum.outputs[0]}, scale)) {
      return true;
    }
    if (pattern.IsNumber(left, 1.0) && Is(right, {x, x}, kCubic) &&
        Is(whole, {x, sum.outputs[0]}, scale)) {
      return true;
    }
  }
  return false;
}

// x if `id` is the Tanh of the approximation; `candidates` are what x may be.
ValueId OperandOfTanh(const GraphPattern& pattern, ValueId id,
                      const std::vector<ValueId>& candidates) {
  const Node* tanh = pattern.Producer(id, Operator::kTanh);
  if (tanh == nullptr) {
    return kNoValue;
  }
  for (const ValueId x : candidates) {
    const Product product = pattern.Factors(tanh->inputs[0], x);
    for (const ValueId factor : product.factors) {
      const Node* sum = pattern.Producer(factor, Operator::kAdd);
      if (sum != nullptr && IsTanhOperand(pattern, tanh->inputs[0], *sum, x)) {
        return x;
      }
    }
  }
  return kNoValue;
}

// What x may be: each operand of the products that make up `id`.
void AddCandidates(const GraphPattern& pattern, ValueId id, int depth,
                   std::vector<ValueId>& candidates) {
  candidates.push_back(id);
  for (const Operator op : {Operator::kMul, Operator::kDiv}) {
    const Node* node = pattern.Producer(id, op);
    if (node != nullptr && depth < 3) {
      AddCandidates(pattern, node->inputs[0], depth + 1, candidates);
      AddCandidates(pattern, node->inputs[1], depth + 1, candidates);
    }
  }
}

}  // namespace

std::optional<Node> AsGelu(const GraphPattern& pattern, const Node& node) {
  if (node.op != Operator::kMul && node.op != Operator::kDiv) {
    return std::nullopt;
  }
  const ValueId result = node.outputs[0];
  for (const ValueId factor : pattern.Factors(result).factors) {
    const auto sum = pattern.SplitNumber(factor, Operator::kAdd);
    if (!sum.has_value() || sum->number != 1.0) {
      continue;
    }
    std::string form = "none";
    ValueId x = OperandOfErf(pattern, sum->x);
    if (x == kNoValue) {
      std::vector<ValueId> candidates;
      AddCandidates(pattern, result, 0, candidates);
      form = "tanh";
      x = OperandOfTanh(pattern, sum->x, candidates);
    }
    if (x != kNoValue &&
        pattern.value(x).shape == pattern.value(result).shape &&
        Is(pattern.Factors(result, x), {x, factor}, 0.5)) {
      Node gelu;
      gelu.op = Operator::kGelu;
      gelu.inputs = {x};
      gelu.attributes = {{"approximate", form}};
      return gelu;
    }
  }
  return std::nullopt;
}

}  // namespace relu
