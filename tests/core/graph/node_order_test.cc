#include "core/graph/node_order.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(NodeOrderTest, NodesStandAfterTheirMakersWhateverTheFileSays) {
  ModelBuilder builder;
  builder.Node("Relu", {"b"}, "c")
      .Node("Relu", {"a"}, "b")
      .Node("Relu", {"x"}, "a");
  const auto order = NodeOrder(builder.graph());
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_THAT(*order, ElementsAre(2, 1, 0));
}

TEST(NodeOrderTest, NodeThatReadsOneValueTwiceIsOrderedOnce) {
  ModelBuilder builder;
  builder.Node("Relu", {"x"}, "a").Node("Add", {"a", "a"}, "b");
  const auto order = NodeOrder(builder.graph());
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_THAT(*order, ElementsAre(0, 1));
}

TEST(NodeOrderTest, CycleIsRefusedWithOneOfItsNodes) {
  ModelBuilder builder;
  builder.Node("Relu", {"b"}, "after")
      .Node("Add", {"x", "b"}, "a")
      .Node("Relu", {"a"}, "b");
  const auto order = NodeOrder(builder.graph());
  EXPECT_EQ(order.status().code(), kInvalid);
  EXPECT_THAT(order.status(),
              ::testing::AnyOf(Fails(kInvalid, "node \"a\" (Add) is part"),
                               Fails(kInvalid, "node \"b\" (Relu) is part")));
}

TEST(NodeOrderTest, NodeThatReadsItselfIsRefused) {
  ModelBuilder builder;
  builder.Node("Relu", {"a"}, "a");
  EXPECT_THAT(NodeOrder(builder.graph()).status(),
              Fails(kInvalid, "part of a cycle"));
}

TEST(NodeOrderTest, GraphWithoutNodesHasNoOrder) {
  EXPECT_THAT(*NodeOrder(ModelBuilder().graph()), ElementsAre());
}

}  // namespace
}  // namespace relu
