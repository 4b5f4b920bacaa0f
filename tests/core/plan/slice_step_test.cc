#include "core/plan/slice_step.h"

#include <cstddef>
#include <cstdint>
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
using Integers = std::vector<std::int64_t>;

TEST(SliceStepTest, ColumnsSideBySideAreNoStep) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4});
  builder.Output(
      builder.Node(Operator::kSlice, {x}, {.row_shape = {2}},
                   {{"starts", Integers{0, 1}}, {"steps", Integers{1, 1}}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(2, 3, 6, 7));
  EXPECT_EQ(model.Describe(), "");
}

TEST(SliceStepTest, StepsMayGoBackwardsAndOverSeveralAxes) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 3});
  builder.Output(builder.Node(
      Operator::kSlice, {x}, {.row_shape = {1, 2}},
      {{"starts", Integers{0, 1, 2}}, {"steps", Integers{1, 1, -2}}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({1, 2, 3}, {1, 2, 3, 4, 5, 6})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(6, 4));
  EXPECT_EQ(model.Describe(), "slice to 2\n");
}

TEST(SliceStepTest, SliceOfAValueThatChangesLaterKeepsItsContent) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId h = builder.Unary(Operator::kNeg, x);
  const ValueId part =
      builder.Node(Operator::kSlice, {h}, {.row_shape = {1}},
                   {{"starts", Integers{0, 1}}, {"steps", Integers{1, 1}}});
  builder.Output(builder.Unary(Operator::kAbs, h));
  builder.Output(builder.Unary(Operator::kExp, part));
  builder.Output(part);
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              OneTensor(FloatTensor({2, 2}, {1, 0, 3, 0})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(1, 0, 3, 0));
  EXPECT_THAT(run.outputs[1].As<float>(), ElementsAre(1, 1));
  EXPECT_THAT(run.outputs[2].As<float>(), ElementsAre(-0.0F, -0.0F));
}

TEST(SliceStepTest, SplitOfTheLastAxisIsNoStepForOneVector) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {3});
  const ValueId first =
      builder.Node(Operator::kSplit, {x}, {.row_shape = {1}},
                   {{"axis", std::int64_t{1}}, {"split", Integers{1, 2}}});
  Graph graph = builder.Build();
  Value second = graph.values[first];
  second.shape = {kBatchDim, 2};
  graph.values.push_back(second);
  graph.nodes[0].outputs.push_back(graph.values.size() - 1);
  graph.outputs = {graph.values.size() - 1, first};
  const CompiledModel model = CompileOrDie(graph);
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({2, 3}, {1, 2, 3, 4, 5, 6})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(2, 3, 5, 6));
  EXPECT_THAT(run.outputs[1].As<float>(), ElementsAre(1, 4));
  EXPECT_EQ(model.Describe(), "");
}

// As x.chunk(2, -1)[1] of PyTorch.
TEST(SliceStepTest, TheFirstPartOfASplitMayBeNobodys) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 2});
  const ValueId first =
      builder.Node(Operator::kSplit, {x}, {.row_shape = {2, 1}},
                   {{"axis", std::int64_t{2}}, {"split", Integers{1, 1}}});
  Graph graph = builder.Build();
  graph.values.push_back(graph.values[first]);
  graph.nodes[0].outputs.push_back(graph.values.size() - 1);
  graph.outputs = {graph.values.size() - 1};
  const PlanRun run = RunPlan(CompileOrDie(graph),
                              OneTensor(FloatTensor({1, 2, 2}, {1, 2, 3, 4})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(2, 4));
}

TEST(SliceStepTest, ExpandRepeatsInsideOfTheRow) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1, 2});
  builder.Output(builder.Node(Operator::kExpand, {x}, {.row_shape = {2, 2}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({2, 1, 2}, {1, 2, 3, 4})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(1, 2, 1, 2, 3, 4, 3, 4));
  EXPECT_EQ(model.Describe(), "expand to 4\n");
}

TEST(SliceStepTest, ExpandToMoreDimensionsIsUnimplemented) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Node(Operator::kExpand, {x}, {.row_shape = {2, 2}});
  const Graph graph = builder.Build();
  PlanBuilder plan(graph);
  EXPECT_EQ(LowerExpand(graph.nodes[0], plan).code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
