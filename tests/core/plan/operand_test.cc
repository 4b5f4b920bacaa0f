#include "core/plan/operand.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(OperandTest, ConstantsAreExpandedAndValuesKeepTheirBuffer) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId one = builder.Constant(FloatTensor({}, {1}));
  const ValueId y = builder.Node(Operator::kAdd, {x, one}, {.row_shape = {2}});
  const Graph graph = builder.Build();
  PlanBuilder plan(graph);
  const std::size_t buffer = plan.Define(x);
  std::vector<Operand> operands;
  for (const std::size_t index : {0U, 1U}) {
    absl::StatusOr<Operand> operand =
        MakeOperand(graph.nodes[0], index, graph.values[y], plan);
    ASSERT_TRUE(operand.ok()) << operand.status();
    operands.push_back(*std::move(operand));
  }
  EXPECT_EQ(operands[0].buffer, buffer);
  EXPECT_THAT(operands[1].constant->As<float>(), ElementsAre(1, 1));
  EXPECT_EQ(ConstantBytes(operands), 8U);
  EXPECT_THAT(BuffersOf(operands, 9), ElementsAre(9, buffer));
}

TEST(OperandTest, ValueOfFewerDimensionsIsUnimplemented) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId y = builder.Node(Operator::kAbs, {x}, {.row_shape = {1, 2}});
  const Graph graph = builder.Build();
  PlanBuilder plan(graph);
  plan.Define(x);
  EXPECT_EQ(
      MakeOperand(graph.nodes[0], 0, graph.values[y], plan).status().code(),
      absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
