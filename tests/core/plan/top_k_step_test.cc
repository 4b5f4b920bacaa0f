#include "core/plan/top_k_step.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

Graph TopKGraph(Shape row_shape, Shape result, std::int64_t axis,
                std::int64_t largest) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", std::move(row_shape));
  const std::int64_t k = result[static_cast<std::size_t>(axis) - 1];
  const ValueId values =
      builder.Node(Operator::kTopK, {x}, {.row_shape = std::move(result)},
                   {{"axis", axis}, {"k", k}, {"largest", largest}});
  Graph graph = builder.Build();
  Value positions = graph.values[values];
  positions.type = DataType::kInt64;
  graph.values.push_back(positions);
  graph.nodes[0].outputs.push_back(graph.values.size() - 1);
  graph.outputs = {values, graph.values.size() - 1};
  return graph;
}

TEST(TopKStepTest, LargestComeInOrderAndTheFirstOfEqualOnes) {
  const CompiledModel model = CompileOrDie(TopKGraph({4}, {3}, 1, 1));
  const PlanRun run = RunPlan(
      model, OneTensor(FloatTensor({2, 4}, {1, 7, 7, 3, 0, -1, -2, 9})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(7, 7, 3, 9, 0, -1));
  EXPECT_THAT(run.outputs[1].As<std::int64_t>(), ElementsAre(1, 2, 3, 3, 0, 1));
  EXPECT_EQ(model.Describe(), "top 3 of 4\n");
}

TEST(TopKStepTest, SmallestOfAnInnerAxis) {
  const PlanRun run =
      RunPlan(CompileOrDie(TopKGraph({3, 2}, {1, 2}, 1, 0)),
              OneTensor(FloatTensor({1, 3, 2}, {5, 6, 1, 9, 3, 2})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(1, 2));
  EXPECT_THAT(run.outputs[1].As<std::int64_t>(), ElementsAre(1, 2));
}

TEST(TopKStepTest, NanCountsAsGreatest) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const PlanRun run = RunPlan(CompileOrDie(TopKGraph({3}, {2}, 1, 1)),
                              OneTensor(FloatTensor({1, 3}, {8, nan, nan})));
  EXPECT_TRUE(std::isnan(run.outputs[0].As<float>()[1]));
  EXPECT_THAT(run.outputs[1].As<std::int64_t>(), ElementsAre(1, 2));
}

}  // namespace
}  // namespace relu
