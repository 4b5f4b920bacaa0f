#include "core/graph/value_names.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

onnx::NodeProto NodeOf(const std::vector<std::string>& inputs) {
  onnx::NodeProto node;
  node.set_name("n");
  node.set_op_type("Add");
  node.mutable_input()->Add(inputs.begin(), inputs.end());
  return node;
}

TEST(ValueNamesTest, ValuesAreFoundByAnyOfTheirNames) {
  ValueNames names;
  ASSERT_TRUE(names.Add("a", 1).ok());
  ASSERT_TRUE(names.Add("b", 1).ok());
  ASSERT_TRUE(names.Add("c", 0).ok());
  EXPECT_EQ(names.Find("b"), 1U);
  EXPECT_EQ(names.Find("d"), kNoValue);
  const auto inputs = names.FindInputs(NodeOf({"a", "", "c", "b"}));
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  EXPECT_THAT(*inputs, ElementsAre(1, kNoValue, 0, 1));
}

TEST(ValueNamesTest, NamesMustBeGivenOnceAndNotEmpty) {
  ValueNames names;
  ASSERT_TRUE(names.Add("a", 0).ok());
  EXPECT_THAT(names.Add("a", 1), Fails(kInvalid, "two values have the name"));
  EXPECT_THAT(names.Add("", 1), Fails(kInvalid, "has no name"));
}

TEST(ValueNamesTest, NameThatIsOnlyReadIsNoInput) {
  ValueNames names;
  names.AddReads(NodeOf({"a"}));
  EXPECT_EQ(names.Find("a"), kNoValue);
  EXPECT_THAT(names.FindInputs(NodeOf({"a"})).status(),
              Fails(kInvalid, "gives its input \"a\""));
}

TEST(ValueNamesTest, ValueIsReadUntilAllReadsOfItsNamesHaveEnded) {
  ValueNames names;
  const onnx::NodeProto first = NodeOf({"a", "a"});
  const onnx::NodeProto second = NodeOf({"b"});
  names.AddReads(first);
  names.AddReads(second);
  ASSERT_TRUE(names.Add("a", 0).ok());
  ASSERT_TRUE(names.Add("b", 0).ok());
  names.EndReads(first);
  EXPECT_FALSE(names.IsRead("a"));
  EXPECT_TRUE(names.IsRead(0));
  names.EndReads(second);
  EXPECT_FALSE(names.IsRead(0));
}

TEST(ValueNamesTest, ReadsMayBeAddedAfterTheName) {
  ValueNames names;
  ASSERT_TRUE(names.Add("a", 0).ok());
  EXPECT_FALSE(names.IsRead(0));
  names.AddRead("a");
  EXPECT_TRUE(names.IsRead(0));
  EXPECT_TRUE(names.IsRead("a"));
}

TEST(ValueNamesTest, ValueThatIsKeptIsReadForEver) {
  ValueNames names;
  const onnx::NodeProto node = NodeOf({"a"});
  names.AddReads(node);
  ASSERT_TRUE(names.Add("a", 3).ok());
  names.Keep(3);
  names.EndReads(node);
  EXPECT_TRUE(names.IsRead(3));
  EXPECT_FALSE(names.IsRead(2));
}

}  // namespace
}  // namespace relu
