#include "core/plan/concat_step.h"

#include <cstdint>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(ConcatStepTest, LastAxisJoinsRowsSideBySide) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {2});
  const ValueId b = builder.Input("b", {1});
  builder.Output(builder.Node(Operator::kConcat, {a, b, a}, {.row_shape = {5}},
                              {{"axis", std::int64_t{1}}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run =
      RunPlan(model, TwoTensors(FloatTensor({2, 2}, {1, 2, 3, 4}),
                                FloatTensor({2, 1}, {8, 9})));
  EXPECT_THAT(run.outputs[0].As<float>(),
              ElementsAre(1, 2, 8, 1, 2, 3, 4, 9, 3, 4));
  EXPECT_EQ(model.Describe(), "concat 3 parts to 20 bytes\n");
}

TEST(ConcatStepTest, InnerAxisTakesTurnsForEachOuterPosition) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {2, 1});
  const ValueId b = builder.Input("b", {2, 2});
  builder.Output(builder.Node(Operator::kConcat, {a, b}, {.row_shape = {2, 3}},
                              {{"axis", std::int64_t{2}}}));
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              TwoTensors(FloatTensor({1, 2, 1}, {1, 2}),
                                         FloatTensor({1, 2, 2}, {3, 4, 5, 6})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(1, 3, 4, 2, 5, 6));
}

TEST(ConcatStepTest, EmptyPartsAddNothing) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {1});
  const ValueId nothing = builder.Input("b", {0});
  builder.Output(builder.Node(Operator::kConcat, {nothing, a},
                              {.row_shape = {1}}, {{"axis", std::int64_t{1}}}));
  const PlanRun run =
      RunPlan(CompileOrDie(builder.Build()),
              TwoTensors(FloatTensor({2, 1}, {1, 2}), FloatTensor({2, 0}, {})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(1, 2));
}

TEST(ConcatStepTest, ConstantPartsGoIntoEveryRow) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {1});
  const ValueId seven = builder.Constant(FloatTensor({1, 1}, {7}));
  builder.Output(builder.Node(Operator::kConcat, {a, seven}, {.row_shape = {2}},
                              {{"axis", std::int64_t{1}}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run = RunPlan(model, OneTensor(FloatTensor({2, 1}, {1, 2})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(1, 7, 2, 7));
  EXPECT_EQ(model.weight_bytes(), 4U);
}

}  // namespace
}  // namespace relu
