#include "core/graph/graph_pruning.h"

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

TEST(GraphPruningTest, WhatNoOutputNeedsGoes) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Input("unread", {2});
  const ValueId two = builder.Constant(FloatTensor({}, {2}));
  builder.Binary(Operator::kMul, x, two);
  builder.Output(builder.Unary(Operator::kRelu, x));
  Graph graph = builder.Build();
  PruneGraph(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].op, Operator::kRelu);
  EXPECT_TRUE(graph.constants.empty());
  EXPECT_EQ(graph.inputs.size(), 2U);
  EXPECT_EQ(graph.values.size(), 3U);
  EXPECT_EQ(graph.nodes[0].outputs, graph.outputs);
}

TEST(GraphPruningTest, NodeWhoseOutputIsKnownGoes) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId two = builder.Constant(FloatTensor({}, {2}));
  const ValueId known = builder.Unary(Operator::kRelu, x);
  builder.Output(builder.Binary(Operator::kAdd, x, known));
  Graph graph = builder.Build();
  graph.values[known].constant = graph.values[two].constant;
  PruneGraph(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.constants.size(), 1U);
}

}  // namespace
}  // namespace relu
