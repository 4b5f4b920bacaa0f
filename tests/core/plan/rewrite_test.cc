#include "core/plan/rewrite.h"

#include <cstddef>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "tests/core/plan/rewrite_testing.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RewriteTest, AbsorbedNodesAreThoseThatNothingElseNeeds) {
  PatternBuilder p;
  const ValueId h = p.Unary(Operator::kTanh, p.x());
  const ValueId gate = p.Unary(Operator::kSigmoid, p.Mul(h, 2));
  const Graph graph = p.Build(p.Mul(h, gate));
  const RewrittenGraph rewritten = Rewrite(graph);
  EXPECT_THAT(rewritten.absorbed[3], ::testing::UnorderedElementsAre(1, 2));
  EXPECT_THAT(rewritten.absorbed[0], IsEmpty());
  EXPECT_EQ(rewritten.graph.nodes[3].name, graph.nodes[3].name);
  EXPECT_EQ(rewritten.graph.nodes[3].outputs, graph.nodes[3].outputs);
}

TEST(RewriteTest, NodesThatSomethingElseNeedsStay) {
  PatternBuilder p;
  const ValueId gate = p.Unary(Operator::kSigmoid, p.x());
  p.builder().Output(gate);
  const Graph graph = p.Build(p.Mul(p.x(), gate));
  EXPECT_EQ(OperatorsAfter(graph), "Sigmoid Swish");
  EXPECT_THAT(Rewrite(graph).absorbed, ElementsAre(IsEmpty(), IsEmpty()));
}

}  // namespace
}  // namespace relu
