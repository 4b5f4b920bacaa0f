#include "core/plan/graph_pattern.h"

#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/rewrite_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(GraphPatternTest, FactorsTakeProductsQuotientsAndPowersApart) {
  PatternBuilder p;
  const ValueId h = p.Unary(Operator::kTanh, p.x());
  const ValueId y = p.Div(p.Mul(p.Pow(p.x(), 3), p.Mul(h, 3)), 6);
  const Graph graph = p.Build(y);
  const Product product = GraphPattern(graph).Factors(y);
  EXPECT_THAT(product.factors, ElementsAre(p.x(), p.x(), p.x(), h));
  EXPECT_EQ(product.constant, 0.5);
}

TEST(GraphPatternTest, FactorsLeaveTheWholeOneWhole) {
  PatternBuilder p;
  const ValueId h = p.Mul(p.x(), 2);
  const ValueId y = p.Mul(h, 3);
  const Graph graph = p.Build(y);
  const Product product = GraphPattern(graph).Factors(y, h);
  EXPECT_THAT(product.factors, ElementsAre(h));
  EXPECT_EQ(product.constant, 3.0);
}

TEST(GraphPatternTest, NumberNeedsEqualElements) {
  PatternBuilder p;
  const ValueId equal = p.builder().Constant(FloatTensor({2}, {3, 3}));
  const ValueId other = p.builder().Constant(FloatTensor({2}, {3, 4}));
  const Graph graph = p.Build(p.Unary(Operator::kNeg, p.x()));
  const GraphPattern pattern(graph);
  EXPECT_EQ(pattern.Number(equal), 3.0);
  EXPECT_EQ(pattern.Number(other), std::nullopt);
  EXPECT_EQ(pattern.Number(p.x()), std::nullopt);
  EXPECT_EQ(pattern.Number(kNoValue), std::nullopt);
  EXPECT_TRUE(pattern.IsNumber(equal, 3.000001));
}

TEST(GraphPatternTest, SplitNumberKnowsWhichOrderMatters) {
  PatternBuilder p;
  const ValueId three = p.Number(3);
  const ValueId sum = p.Add(three, p.x());
  const ValueId quotient = p.Div(three, p.x());
  const Graph graph = p.Build(p.Add(sum, quotient));
  const GraphPattern pattern(graph);
  EXPECT_EQ(pattern.SplitNumber(sum, Operator::kAdd)->x, p.x());
  EXPECT_EQ(pattern.SplitNumber(sum, Operator::kAdd)->number, 3.0);
  EXPECT_FALSE(pattern.SplitNumber(quotient, Operator::kDiv));
}

}  // namespace
}  // namespace relu
