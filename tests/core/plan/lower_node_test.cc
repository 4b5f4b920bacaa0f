#include "core/plan/lower_node.h"

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

TEST(LowerNodeTest, ShapesAreOtherNamesForTheBuffer) {
  for (const Operator op : {Operator::kFlatten, Operator::kReshape,
                            Operator::kSqueeze, Operator::kUnsqueeze}) {
    GraphBuilder builder;
    const ValueId x = builder.Input("x", {2});
    const ValueId y = builder.Node(op, {x}, {.row_shape = {1, 2}});
    const Graph graph = builder.Build();
    PlanBuilder plan(graph);
    const std::size_t buffer = plan.Define(x);
    EXPECT_TRUE(LowerNode(graph.nodes[0], plan).ok());
    EXPECT_EQ(plan.BufferOf(y), buffer);
  }
}

TEST(LowerNodeTest, OperatorWithoutStepIsUnimplementedAndNamed) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Node(Operator::kDynamicQuantizeLinear, {x}, {.row_shape = {2}});
  const Graph graph = builder.Build();
  PlanBuilder plan(graph);
  const absl::Status status = LowerNode(graph.nodes[0], plan);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("DynamicQuantizeLinear"));
}

}  // namespace
}  // namespace relu
