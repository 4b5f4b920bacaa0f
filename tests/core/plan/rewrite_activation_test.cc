#include "core/plan/rewrite_activation.h"

#include <limits>
#include <vector>

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/core/plan/rewrite_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

TEST(RewriteActivationTest, MaxWithZeroIsRelu) {
  for (const bool zero_first : {false, true}) {
    PatternBuilder p;
    const ValueId zero = p.Number(0);
    const ValueId y =
        p.builder().Node(Operator::kMax,
                         zero_first ? std::vector<ValueId>{zero, p.x()}
                                    : std::vector<ValueId>{p.x(), zero},
                         {.row_shape = {4}});
    EXPECT_EQ(OperatorsAfter(p.Build(y)), "Relu");
  }
}

TEST(RewriteActivationTest, ClipFromZeroIsReluUnlessItHasAnUpperBound) {
  PatternBuilder open;
  EXPECT_EQ(OperatorsAfter(open.Build(
                open.Clip(open.x(), 0, std::numeric_limits<float>::max()))),
            "Relu");
  PatternBuilder closed;
  EXPECT_EQ(OperatorsAfter(closed.Build(closed.Clip(closed.x(), 0, 6))),
            "Clip");
}

TEST(RewriteActivationTest, MaxOfIntegersStays) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4}, DataType::kInt32);
  const ValueId zero = builder.Constant(Tensor(DataType::kInt32, {}));
  builder.Output(builder.Binary(Operator::kMax, x, zero));
  EXPECT_EQ(OperatorsAfter(builder.Build()), "Max");
}

TEST(RewriteActivationTest, SquareIsAProduct) {
  PatternBuilder p;
  EXPECT_EQ(OperatorsAfter(p.Build(p.Pow(p.x(), 2))), "Mul");
}

TEST(RewriteActivationTest, XTimesSigmoidIsSwish) {
  PatternBuilder p;
  EXPECT_EQ(
      OperatorsAfter(p.Build(p.Mul(p.Unary(Operator::kSigmoid, p.x()), p.x()))),
      "Swish");
}

TEST(RewriteActivationTest, XTimesSigmoidOfScaledXIsSwishWithAlpha) {
  PatternBuilder p;
  const ValueId gate = p.Unary(Operator::kSigmoid, p.Mul(p.x(), 1.5F));
  const Graph graph = p.Build(p.Mul(p.x(), gate));
  const RewrittenGraph rewritten = Rewrite(graph);
  const Node& last = rewritten.graph.nodes.back();
  ASSERT_EQ(last.op, Operator::kSwish);
  EXPECT_EQ(FloatAttribute(last, "alpha"), 1.5F);
}

TEST(RewriteActivationTest, XTimesTanhOfSoftplusIsMish) {
  PatternBuilder p;
  const ValueId gate =
      p.Unary(Operator::kTanh, p.Unary(Operator::kSoftplus, p.x()));
  EXPECT_EQ(OperatorsAfter(p.Build(p.Mul(p.x(), gate))), "Mish");
}

TEST(RewriteActivationTest, XTimesHardSigmoidIsHardSwish) {
  PatternBuilder p;
  const ValueId gate =
      p.builder().Node(Operator::kHardSigmoid, {p.x()}, {.row_shape = {4}},
                       {{"alpha", 1.0F / 6.0F}, {"beta", 0.5F}});
  EXPECT_EQ(OperatorsAfter(p.Build(p.Mul(p.x(), gate))), "HardSwish");
}

TEST(RewriteActivationTest, ClippedSumIsHardSigmoidAndTimesXHardSwish) {
  PatternBuilder gate;
  EXPECT_EQ(OperatorsAfter(gate.Build(
                gate.Div(gate.Clip(gate.Add(gate.x(), 3), 0, 6), 6))),
            "HardSigmoid");
  PatternBuilder late;
  EXPECT_EQ(
      OperatorsAfter(late.Build(late.Div(
          late.Mul(late.x(), late.Clip(late.Add(late.x(), 3), 0, 6)), 6))),
      "HardSwish");
  PatternBuilder early;
  EXPECT_EQ(OperatorsAfter(early.Build(early.Mul(
                early.x(), early.Mul(early.Clip(early.Add(early.x(), 3), 0, 6),
                                     1.0F / 6.0F)))),
            "HardSwish");
}

TEST(RewriteActivationTest, AlmostPatternsStay) {
  PatternBuilder other;  // The sum has another operand than the product.
  const ValueId y = other.Unary(Operator::kNeg, other.x());
  EXPECT_EQ(OperatorsAfter(other.Build(
                other.Mul(y, other.Unary(Operator::kSigmoid, other.x())))),
            "Neg Sigmoid Mul");
  PatternBuilder bound;
  EXPECT_EQ(OperatorsAfter(bound.Build(
                bound.Div(bound.Clip(bound.Add(bound.x(), 3), 0, 5), 6))),
            "Add Clip Div");
}

TEST(RewriteActivationTest, PatternThatChangesTheShapeStays) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4});
  const ValueId zero = builder.Constant(FloatTensor({1, 1, 1}, {0}));
  builder.Output(
      builder.Node(Operator::kMax, {x, zero}, {.row_shape = {1, 4}}));
  EXPECT_EQ(OperatorsAfter(builder.Build()), "Max");
}

}  // namespace
}  // namespace relu
