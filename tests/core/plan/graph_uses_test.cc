#include "core/plan/graph_uses.h"

#include <cstddef>
#include <optional>

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

TEST(GraphUsesTest, NodeIsDeadWhenNoOutputNeedsIt) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId unused = builder.Unary(Operator::kTanh, x);
  builder.Unary(Operator::kTanh, unused);
  builder.Output(builder.Unary(Operator::kRelu, x));
  const Graph graph = builder.Build();
  const GraphUses uses(graph);
  EXPECT_FALSE(uses.IsLive(0));
  EXPECT_FALSE(uses.IsLive(1));
  EXPECT_TRUE(uses.IsLive(2));
  EXPECT_FALSE(uses.IsUsed(unused));
  EXPECT_TRUE(uses.IsUsed(x));
}

TEST(GraphUsesTest, OnlyConsumerIgnoresDeadNodes) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Unary(Operator::kTanh, x);
  builder.Output(builder.Unary(Operator::kRelu, x));
  const Graph graph = builder.Build();
  EXPECT_EQ(GraphUses(graph).OnlyConsumer(x), std::optional<std::size_t>(1));
}

TEST(GraphUsesTest, OnlyConsumerIsNoneWhenValueIsUsedTwiceByOneNode) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(builder.Binary(Operator::kAdd, x, x));
  const Graph graph = builder.Build();
  EXPECT_EQ(GraphUses(graph).OnlyConsumer(x), std::nullopt);
}

TEST(GraphUsesTest, OnlyConsumerIsNoneWhenValueIsAnOutputToo) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId h = builder.Unary(Operator::kTanh, x);
  builder.Output(h);
  builder.Output(builder.Unary(Operator::kRelu, h));
  const Graph graph = builder.Build();
  EXPECT_EQ(GraphUses(graph).OnlyConsumer(h), std::nullopt);
}

TEST(GraphUsesTest, OnlyConsumerIsNoneWhenValueIsOutputAlone) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(x);
  const Graph graph = builder.Build();
  EXPECT_EQ(GraphUses(graph).OnlyConsumer(x), std::nullopt);
}

TEST(GraphUsesTest, ProducerIsTheNodeOfAValue) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId y = builder.Unary(Operator::kRelu, x);
  builder.Output(builder.Binary(Operator::kAdd, y, y));
  const Graph graph = builder.Build();
  const GraphUses uses(graph);
  EXPECT_EQ(uses.Producer(x), std::nullopt);
  EXPECT_EQ(uses.Producer(y), 0U);
  EXPECT_EQ(uses.Count(y), 2U);
}

}  // namespace
}  // namespace relu
