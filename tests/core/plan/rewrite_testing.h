// What the tests of rewrites share: nodes in few words, and how a graph looks
// after Rewrite().

#ifndef TESTS_CORE_PLAN_REWRITE_TESTING_H_
#define TESTS_CORE_PLAN_REWRITE_TESTING_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/plan/graph_uses.h"
#include "core/plan/rewrite.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"

namespace relu {

// A number in a pattern; other than a ValueId.
template <typename T>
concept Literal = std::same_as<T, float> || std::same_as<T, int>;

// A builder with one input, x of [-1, 4], and the nodes of patterns.
class PatternBuilder {
 public:
  PatternBuilder() : x_(builder_.Input("x", {4})) {}

  ValueId x() const { return x_; }
  GraphBuilder& builder() { return builder_; }

  ValueId Number(float value) {
    return builder_.Constant(FloatTensor({}, {value}));
  }
  ValueId Mul(ValueId a, ValueId b) { return Join(Operator::kMul, a, b); }
  template <Literal T>
  ValueId Mul(ValueId a, T b) {
    return Mul(a, Number(static_cast<float>(b)));
  }
  ValueId Div(ValueId a, ValueId b) { return Join(Operator::kDiv, a, b); }
  template <Literal T>
  ValueId Div(ValueId a, T b) {
    return Div(a, Number(static_cast<float>(b)));
  }
  ValueId Add(ValueId a, ValueId b) { return Join(Operator::kAdd, a, b); }
  template <Literal T>
  ValueId Add(ValueId a, T b) {
    return Add(a, Number(static_cast<float>(b)));
  }
  ValueId Sub(ValueId a, ValueId b) { return Join(Operator::kSub, a, b); }
  ValueId Pow(ValueId a, float b) { return Join(Operator::kPow, a, Number(b)); }
  ValueId Unary(Operator op, ValueId a) { return builder_.Unary(op, a); }
  ValueId Clip(ValueId a, float min, float max) {
    return builder_.Node(Operator::kClip, {a}, {.row_shape = {4}},
                         {{"min", min}, {"max", max}});
  }
  ValueId Mean(ValueId a, std::int64_t keepdims = 1) {
    return builder_.Node(
        Operator::kReduceMean, {a}, {.row_shape = {1}},
        {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", keepdims}});
  }

  // The graph that computes `output`.
  Graph Build(ValueId output) {
    builder_.Output(output);
    return builder_.Build();
  }

 private:
  // The result is shaped like a wide operand.
  ValueId Join(Operator op, ValueId a, ValueId b) {
    const bool is_wide =
        builder_.value(a).is_batched() && builder_.value(a).shape[1] == 4;
    const bool is_narrow =
        !is_wide && builder_.value(a).is_batched() &&
        !(builder_.value(b).is_batched() && builder_.value(b).shape[1] == 4);
    return builder_.Node(op, {a, b}, {.row_shape = {is_narrow ? 1 : 4}});
  }

  GraphBuilder builder_;
  ValueId x_;
};

// The operators that still matter after Rewrite(): "Gelu", "Div Erf".
inline std::string OperatorsAfter(const Graph& graph) {
  const RewrittenGraph rewritten = Rewrite(graph);
  const GraphUses uses(rewritten.graph);
  std::string text;
  for (std::size_t i = 0; i < rewritten.graph.nodes.size(); ++i) {
    if (uses.IsLive(i)) {
      text += text.empty() ? "" : " ";
      text += OperatorName(rewritten.graph.nodes[i].op);
    }
  }
  return text;
}

}  // namespace relu

#endif  // TESTS_CORE_PLAN_REWRITE_TESTING_H_
