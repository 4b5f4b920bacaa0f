#include "core/plan/normalization_step.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(NormalizationStepTest, LayerNormOfTheLastAxisTakesEachVector) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 2});
  const ValueId scale = builder.Constant(FloatTensor({2}, {1, 2}));
  const ValueId shift = builder.Constant(FloatTensor({2}, {10, 20}));
  builder.Output(builder.Node(Operator::kLayerNormalization, {x, scale, shift},
                              {.row_shape = {2, 2}},
                              {{"axis", std::int64_t{2}}, {"epsilon", 0.0F}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({1, 2, 2}, {1, 3, 9, 5})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(9, 22, 11, 18));
  EXPECT_EQ(model.Describe(), "layer norm 2, 2 times a row\n");
}

TEST(NormalizationStepTest, LayerNormWithoutShiftBroadcastsItsScale) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 2});
  const ValueId scale = builder.Constant(FloatTensor({2}, {1, 2}));
  builder.Output(builder.Node(Operator::kLayerNormalization, {x, scale},
                              {.row_shape = {2, 2}},
                              {{"axis", std::int64_t{1}}, {"epsilon", 0.0F}}));
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              OneTensor(FloatTensor({1, 2, 2}, {1, 3, 1, 3})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(-1, 2, -1, 2));
}

TEST(NormalizationStepTest, LayerNormWithComputedScaleIsUnimplemented) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(builder.Node(Operator::kLayerNormalization, {x, x},
                              {.row_shape = {2}},
                              {{"axis", std::int64_t{1}}, {"epsilon", 0.0F}}));
  const Graph graph = builder.Build();
  PlanBuilder plan(graph);
  plan.Define(x);
  EXPECT_EQ(LowerLayerNormalization(graph.nodes[0], plan).code(),
            absl::StatusCode::kUnimplemented);
}

// Of x [N, 2, 2]; `variance` is that of channel 0.
Graph BatchNormalizationGraph(float variance) {
  GraphBuilder builder;
  std::vector<ValueId> inputs{builder.Input("x", {2, 2})};
  for (const std::vector<float>& values :
       {std::vector<float>{2, 1}, std::vector<float>{1, 0},
        std::vector<float>{3, 5}, std::vector<float>{variance, 0.5F}}) {
    inputs.push_back(builder.Constant(FloatTensor({2}, values)));
  }
  builder.Output(builder.Node(Operator::kBatchNormalization, std::move(inputs),
                              {.row_shape = {2, 2}}, {{"epsilon", 0.5F}}));
  return builder.Build();
}

TEST(NormalizationStepTest, BatchNormalizationIsOneMultiplyAdd) {
  const CompiledModel model = CompileOrDie(BatchNormalizationGraph(3.5F));
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({1, 2, 2}, {3, 4, 5, 7})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(1, 2, 0, 2));
  EXPECT_EQ(model.Describe(), "scale and shift 4\n");
}

TEST(NormalizationStepTest, NegativeVarianceIsInvalidArgument) {
  const Graph graph = BatchNormalizationGraph(-1.0F);
  PlanBuilder plan(graph);
  EXPECT_EQ(LowerBatchNormalization(graph.nodes[0], plan).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
