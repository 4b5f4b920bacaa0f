#include "core/plan/interpret_step.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

Tensor ByteTensor(const std::vector<std::uint8_t>& values) {
  Tensor tensor(DataType::kUint8, {static_cast<std::int64_t>(values.size())});
  std::ranges::copy(values, tensor.As<std::uint8_t>().begin());
  return tensor;
}

// x / 2 in 8-bit integers, which no step of its own does, or x / x.
CompiledModel Quotient(bool by_itself) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {}, DataType::kUint8);
  const ValueId divisor = by_itself ? x : builder.Constant(ByteTensor({2}));
  builder.Output(builder.Node(Operator::kDiv, {x, divisor},
                              {.row_shape = {}, .type = DataType::kUint8}));
  return CompileOrDie(builder.Build());
}

TEST(InterpretStepTest, NodeRunsRowByRow) {
  const CompiledModel model = Quotient(/*by_itself=*/false);
  EXPECT_EQ(model.Describe(), "interpret Div\n");
  const PlanRun run = RunPlan(model, OneTensor(ByteTensor({6, 9, 255})));
  EXPECT_EQ(run.fault, std::nullopt);
  EXPECT_THAT(run.outputs[0].As<std::uint8_t>(), ElementsAre(3, 4, 127));
}

TEST(InterpretStepTest, RowWithoutValueGetsAFaultAndOthersTheirAnswer) {
  const CompiledModel model = Quotient(/*by_itself=*/true);
  Workspace workspace(model, 3);
  const Tensor input = ByteTensor({6, 0, 3});
  workspace.CopyIn(0, 0, 3, input.bytes().data());
  model.Run(3, workspace);
  Tensor output = ByteTensor({9, 9, 9});
  workspace.CopyOut(0, 0, 3, output.bytes().data());
  EXPECT_THAT(output.As<std::uint8_t>(), ElementsAre(1, 0, 1));
  EXPECT_EQ(workspace.Fault(0, 1), std::nullopt);
  EXPECT_NE(workspace.Fault(1, 1), std::nullopt);
  EXPECT_EQ(workspace.Fault(2, 1), std::nullopt);
}

// Softmax over the rows of x[-1, 2].
Graph CoupledGraph() {
  GraphBuilder builder;
  builder.Output(builder.Softmax(builder.Input("x", {2}), 0));
  Graph graph = builder.Build();
  graph.couples_rows = true;
  return graph;
}

TEST(InterpretStepTest, GraphThatCouplesRowsRunsAsAWhole) {
  const CompiledModel model = CompileOrDie(CoupledGraph());
  EXPECT_TRUE(model.couples_rows());
  EXPECT_TRUE(model.has_batch_dim());
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({2, 2}, {0, 1, 0, 1})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(0.5, 0.5, 0.5, 0.5));
}

TEST(InterpretStepTest, BatchMayBeAnyDimension) {
  Graph graph = CoupledGraph();
  graph.nodes[0].op = Operator::kTranspose;
  graph.nodes[0].attributes = {{"perm", std::vector<std::int64_t>{1, 0}}};
  graph.values[graph.outputs[0]].shape = {2, kBatchDim};
  const CompiledModel model = CompileOrDie(graph);
  EXPECT_EQ(model.outputs()[0].shape, (Shape{2, kBatchDim}));
  EXPECT_EQ(model.outputs()[0].row_axis, 1U);
  Workspace workspace(model, 3);
  const Tensor input = FloatTensor({3, 2}, {1, 2, 3, 4, 5, 6});
  Tensor output(DataType::kFp32, {2, 3});
  workspace.CopyIn(0, 0, 3, input.bytes().data());
  model.Run(3, workspace);
  workspace.CopyOut(0, 0, 3, output.bytes().data());
  EXPECT_THAT(output.As<float>(), ElementsAre(1, 3, 5, 2, 4, 6));
}

TEST(InterpretStepTest, GraphWithoutBatchHasOneRow) {
  Graph graph = CoupledGraph();
  for (Value& value : graph.values) {
    value.shape = {3, 2};
  }
  const CompiledModel model = CompileOrDie(graph);
  EXPECT_FALSE(model.has_batch_dim());
  EXPECT_EQ(model.inputs()[0].row_axis, std::nullopt);
  EXPECT_EQ(model.inputs()[0].row_shape, (Shape{3, 2}));
  EXPECT_EQ(model.inputs()[0].Bytes(/*rows=*/1), 24U);
}

}  // namespace
}  // namespace relu
