#include "core/plan/rewrite_gelu.h"

#include <string>
#include <variant>

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/rewrite.h"
#include "tests/core/plan/rewrite_testing.h"

namespace relu {
namespace {

constexpr float kRootHalf = 0.70710678F;
constexpr float kRootTwo = 1.4142135F;
constexpr float kRootTwoByPi = 0.7978845608F;

ValueId OnePlusErf(PatternBuilder& p, ValueId x) {
  return p.Add(p.Unary(Operator::kErf, p.Div(x, kRootTwo)), 1);
}

TEST(RewriteGeluTest, ErfFormIsFoundInEveryOrderOfItsFactors) {
  PatternBuilder half_last;
  EXPECT_EQ(
      OperatorsAfter(half_last.Build(half_last.Mul(
          half_last.Mul(half_last.x(), OnePlusErf(half_last, half_last.x())),
          0.5F))),
      "Gelu");
  PatternBuilder half_first;
  EXPECT_EQ(OperatorsAfter(half_first.Build(
                half_first.Mul(half_first.Mul(half_first.x(), 0.5F),
                               OnePlusErf(half_first, half_first.x())))),
            "Gelu");
  PatternBuilder divided;
  const ValueId u = divided.Mul(divided.x(), kRootHalf);
  const ValueId gate =
      divided.Add(divided.Number(1), divided.Unary(Operator::kErf, u));
  EXPECT_EQ(OperatorsAfter(
                divided.Build(divided.Mul(divided.x(), divided.Div(gate, 2)))),
            "Gelu");
}

TEST(RewriteGeluTest, OperandMayBeAProductItself) {
  PatternBuilder p;
  const ValueId x = p.Mul(p.Unary(Operator::kTanh, p.x()), 3);
  EXPECT_EQ(OperatorsAfter(p.Build(p.Mul(p.Mul(x, OnePlusErf(p, x)), 0.5F))),
            "Tanh Mul Gelu");
}

std::string FormOf(const Graph& graph) {
  const RewrittenGraph rewritten = Rewrite(graph);
  const Node& last = rewritten.graph.nodes.back();
  return last.op == Operator::kGelu
             ? std::get<std::string>(last.attributes.at("approximate"))
             : "";
}

TEST(RewriteGeluTest, TanhFormIsFoundWithPowerAndWithProducts) {
  PatternBuilder power;
  const ValueId inner = power.Mul(
      power.Add(power.x(), power.Mul(power.Pow(power.x(), 3), 0.044715F)),
      kRootTwoByPi);
  const ValueId gate = power.Add(power.Unary(Operator::kTanh, inner), 1);
  EXPECT_EQ(FormOf(power.Build(power.Mul(power.Mul(power.x(), 0.5F), gate))),
            "tanh");

  PatternBuilder product;
  const ValueId x = product.x();
  const ValueId sum =
      product.Add(product.Number(1), product.Mul(product.Mul(x, 0.044715F), x));
  const ValueId tanh = product.Unary(
      Operator::kTanh, product.Mul(product.Mul(x, kRootTwoByPi), sum));
  EXPECT_EQ(FormOf(product.Build(
                product.Mul(product.Mul(product.Add(tanh, 1), x), 0.5F))),
            "tanh");
}

TEST(RewriteGeluTest, OtherConstantsStay) {
  PatternBuilder p;
  EXPECT_EQ(
      OperatorsAfter(p.Build(p.Mul(p.Mul(p.x(), OnePlusErf(p, p.x())), 0.6F))),
      "Div Erf Add Mul Mul");
}

}  // namespace
}  // namespace relu
