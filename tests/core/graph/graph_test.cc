#include "core/graph/graph.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "core/graph/operators.h"

namespace relu {
namespace {

Node ExampleNode() {
  Node node;
  node.op = Operator::kGemm;
  node.name = "fc1";
  node.attributes = {{"alpha", 0.5F},
                     {"transB", std::int64_t{1}},
                     {"perm", std::vector<std::int64_t>{1, 0}}};
  return node;
}

TEST(GraphTest, AttributeGivesValueWhenTypeFits) {
  const Node node = ExampleNode();
  EXPECT_EQ(FloatAttribute(node, "alpha"), 0.5F);
  EXPECT_EQ(IntAttribute(node, "transB"), 1);
  EXPECT_EQ(IntsAttribute(node, "perm"), (std::vector<std::int64_t>{1, 0}));
}

TEST(GraphTest, AttributeStopsProcessWhenItIsMissing) {
  const Node node = ExampleNode();
  EXPECT_DEATH(IntAttribute(node, "axis"), "CHECK failed");
}

TEST(GraphTest, AttributeStopsProcessWhenTypeDiffers) {
  const Node node = ExampleNode();
  EXPECT_DEATH(IntAttribute(node, "alpha"), "CHECK failed");
}

TEST(GraphTest, OperatorNameIsThatOfOnnxForEveryOperator) {
  for (const OperatorDefinition& definition : SupportedOperators()) {
    EXPECT_EQ(OperatorName(definition.op), definition.name);
  }
}

TEST(GraphTest, NodeTextNamesNodeAndOperator) {
  EXPECT_EQ(NodeText(ExampleNode()), "node \"fc1\" (Gemm)");
}

TEST(GraphTest, ValueIsBatchedWhenFirstSizeIsOpen) {
  Value value;
  value.shape = {kBatchDim, 4};
  EXPECT_TRUE(value.is_batched());
  value.shape = {3, 4};
  EXPECT_FALSE(value.is_batched());
  value.shape = {};
  EXPECT_FALSE(value.is_batched());
}

}  // namespace
}  // namespace relu
