#include "core/plan/gather_step.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two indices a row into a table of three entries with two values each.
Graph EmbeddingGraph(DataType index_type, std::int64_t axis = 0) {
  GraphBuilder builder;
  const ValueId table =
      builder.Constant(FloatTensor({3, 2}, {0, 1, 10, 11, 20, 21}));
  const ValueId indices = builder.Input("i", {2}, index_type);
  builder.Output(builder.Node(Operator::kGather, {table, indices},
                              {.row_shape = {2, 2}}, {{"axis", axis}}));
  return builder.Build();
}

// Columns of rows with four values, at constant positions.
Graph SelectionGraph(Tensor positions, Shape result_shape) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4});
  const ValueId indices = builder.Constant(std::move(positions));
  builder.Output(builder.Node(Operator::kGather, {x, indices},
                              {.row_shape = std::move(result_shape)},
                              {{"axis", std::int64_t{1}}}));
  return builder.Build();
}

TEST(GatherStepTest, EmbeddingTakesEntriesAndCountsNegativeFromTheEnd) {
  const CompiledModel model = CompileOrDie(EmbeddingGraph(DataType::kInt64));
  const PlanRun run =
      RunPlan(model, OneTensor(Int64Tensor({2, 2}, {2, 0, -1, -3})));
  EXPECT_EQ(run.fault, std::nullopt);
  EXPECT_THAT(run.outputs[0].As<float>(),
              ElementsAre(20, 21, 0, 1, 20, 21, 0, 1));
  EXPECT_EQ(model.Describe(), "embedding 2 of 3 entries of 8 bytes\n");
  EXPECT_EQ(model.weight_bytes(), 24U);
}

TEST(GatherStepTest, EmbeddingTakesIndicesOf32Bits) {
  Tensor indices(DataType::kInt32, {1, 2});
  indices.As<std::int32_t>()[0] = 1;
  indices.As<std::int32_t>()[1] = -1;
  const PlanRun run = RunPlan(CompileOrDie(EmbeddingGraph(DataType::kInt32)),
                              OneTensor(std::move(indices)));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(10, 11, 20, 21));
}

TEST(GatherStepTest, IndexOutsideOfTableFaultsItsRowAlone) {
  const CompiledModel model = CompileOrDie(EmbeddingGraph(DataType::kInt64));
  const PlanRun run = RunPlan(
      model, OneTensor(Int64Tensor({4, 2}, {1, 1, 1, 3, INT64_MIN, 2, 2, 2})));
  EXPECT_EQ(run.fault,
            "row 1: node \"node_0\" (Gather): an index is outside of the "
            "table, which has 3 entries");
  EXPECT_THAT(run.outputs[0].As<float>(),
              ElementsAre(10, 11, 10, 11,  // All good.
                          10, 11, 0, 1,    // 3 is computed as 0.
                          0, 1, 20, 21, 20, 21, 20, 21));
}

TEST(GatherStepTest, SelectionTakesColumnsOfEachRow) {
  const CompiledModel model =
      CompileOrDie(SelectionGraph(Int64Tensor({3}, {3, 0, -1}), {3}));
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(4, 1, 4, 8, 5, 8));
  EXPECT_EQ(model.Describe(), "select to 3\n");
}

TEST(GatherStepTest, SelectionByScalarTakesTheDimensionAway) {
  const PlanRun run =
      RunPlan(CompileOrDie(SelectionGraph(Int64Tensor({}, {2}), {})),
              OneTensor(FloatTensor({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})));
  EXPECT_EQ(run.outputs[0].shape(), (Shape{2}));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(3, 7));
}

TEST(GatherStepTest, CompileIsInvalidArgumentWhenConstantIndexIsOutside) {
  const absl::Status status =
      CompiledModel::Compile(SelectionGraph(Int64Tensor({1}, {4}), {1}))
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("index 4 is outside of a dimension of 4"));
}

TEST(GatherStepTest, CompileIsInvalidArgumentWhenTableIsEmpty) {
  GraphBuilder builder;
  const ValueId table = builder.Constant(FloatTensor({0, 2}, {}));
  const ValueId indices = builder.Input("i", {2}, DataType::kInt64);
  builder.Output(builder.Node(Operator::kGather, {table, indices},
                              {.row_shape = {2, 2}},
                              {{"axis", std::int64_t{0}}}));
  EXPECT_EQ(CompiledModel::Compile(builder.Build()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
