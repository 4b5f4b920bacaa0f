#include "core/plan/rewrite_layer_norm.h"

#include <cmath>
#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/plan/rewrite.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/core/plan/rewrite_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

ValueId Deviation(PatternBuilder& p, ValueId centred) {
  return p.Unary(Operator::kSqrt, p.Add(p.Mean(p.Pow(centred, 2)), 0.5F));
}

TEST(RewriteLayerNormTest, WholePatternIsOneNodeWithItsParameters) {
  PatternBuilder p;
  const ValueId centred = p.Sub(p.x(), p.Mean(p.x()));
  const ValueId normal = p.Div(centred, Deviation(p, centred));
  const ValueId scale = p.builder().Constant(FloatTensor({4}, {1, 2, 3, 4}));
  const ValueId shift = p.builder().Constant(FloatTensor({4}, {0, 0, 0, 9}));
  const Graph graph = p.Build(p.Add(p.Mul(normal, scale), shift));
  EXPECT_EQ(OperatorsAfter(graph), "LayerNormalization");
  const CompiledModel model = CompileOrDie(graph);
  EXPECT_EQ(model.Describe(), "layer norm 4\n");
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({1, 4}, {1, 1, 3, 3})));
  const float one = 1.0F / std::sqrt(1.5F);
  EXPECT_FLOAT_EQ(run.outputs[0].As<float>()[0], -one);
  EXPECT_FLOAT_EQ(run.outputs[0].As<float>()[2], 3 * one);
  EXPECT_FLOAT_EQ(run.outputs[0].As<float>()[3], 4 * one + 9);
}

TEST(RewriteLayerNormTest, WithoutParametersTheScaleIsOne) {
  PatternBuilder p;
  const ValueId centred = p.Sub(p.x(), p.Mean(p.x()));
  const Graph graph = p.Build(p.Div(centred, Deviation(p, centred)));
  EXPECT_EQ(CompileOrDie(graph).Describe(), "layer norm 4\n");
}

TEST(RewriteLayerNormTest, OtherFormsOfTheQuotientAndTheSquare) {
  PatternBuilder reciprocal;
  PatternBuilder& p = reciprocal;
  const ValueId a = p.Sub(p.x(), p.Mean(p.x()));
  const ValueId b = p.Sub(p.x(), p.Mean(p.x()));
  const ValueId root = p.Pow(p.Add(p.Mean(p.Mul(b, b)), 0.5F), 0.5F);
  EXPECT_EQ(
      OperatorsAfter(p.Build(p.Mul(p.Unary(Operator::kReciprocal, root), a))),
      "LayerNormalization");
}

TEST(RewriteLayerNormTest, DifferentOperandsStay) {
  PatternBuilder p;
  const ValueId other = p.Unary(Operator::kTanh, p.x());
  const ValueId centred = p.Sub(p.x(), p.Mean(p.x()));
  const ValueId wrong = p.Sub(other, p.Mean(other));
  EXPECT_EQ(OperatorsAfter(p.Build(p.Div(centred, Deviation(p, wrong)))),
            "Tanh ReduceMean Sub ReduceMean Sub Mul ReduceMean Add Sqrt Div");
}

TEST(RewriteLayerNormTest, ScaleIsTakenOnlyOnce) {
  PatternBuilder p;
  const ValueId centred = p.Sub(p.x(), p.Mean(p.x()));
  const ValueId normal = p.Div(centred, Deviation(p, centred));
  const ValueId scaled = p.Mul(normal, 2);
  EXPECT_EQ(OperatorsAfter(p.Build(p.Mul(scaled, 3))),
            "LayerNormalization Mul");
}

}  // namespace
}  // namespace relu
