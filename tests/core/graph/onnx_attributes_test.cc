#include "core/graph/onnx_attributes.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

onnx::NodeProto NodeWith(const std::vector<onnx::AttributeProto>& attributes) {
  ModelBuilder builder;
  builder.Node("Op", {}, "n", attributes);
  return builder.last_node();
}

std::vector<AttributeDefinition> Definitions() {
  return {{"axis", std::int64_t{1}},
          {"alpha", 0.5F},
          {"perm", std::vector<std::int64_t>()},
          {"mode", std::string("plain")}};
}

absl::StatusOr<Tensor> ReadConstant(const onnx::AttributeProto& attribute) {
  TensorSource source{.external = ExternalData("")};
  onnx::NodeProto node = NodeWith({attribute});
  node.set_op_type("Constant");
  return ReadConstantNode(node, source);
}

TEST(OnnxAttributesTest, NodeTextHasDomainUnlessItIsStandard) {
  onnx::NodeProto node = NodeWith({});
  EXPECT_EQ(NodeText(node), "node \"n\" (Op)");
  node.set_domain("com.example");
  EXPECT_EQ(NodeText(node), "node \"n\" (com.example.Op)");
}

TEST(OnnxAttributesTest, DefaultsStandWhereTheNodeIsSilent) {
  const auto attributes = ReadAttributes(NodeWith({}), Definitions());
  ASSERT_TRUE(attributes.ok()) << attributes.status();
  EXPECT_EQ(attributes->at("axis"), AttributeValue(std::int64_t{1}));
  EXPECT_EQ(attributes->at("alpha"), AttributeValue(0.5F));
}

TEST(OnnxAttributesTest, ValuesOfTheNodeAreRead) {
  const auto attributes = ReadAttributes(
      NodeWith({IntAttributeProto("axis", -3), FloatAttributeProto("alpha", 2),
                IntsAttributeProto("perm", {1, 0}),
                StringAttributeProto("mode", "fast")}),
      Definitions());
  ASSERT_TRUE(attributes.ok()) << attributes.status();
  EXPECT_EQ(attributes->at("axis"), AttributeValue(std::int64_t{-3}));
  EXPECT_EQ(attributes->at("alpha"), AttributeValue(2.0F));
  EXPECT_EQ(attributes->at("perm"),
            AttributeValue(std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(attributes->at("mode"), AttributeValue(std::string("fast")));
}

TEST(OnnxAttributesTest, UnknownAttributeIsRefused) {
  EXPECT_THAT(
      ReadAttributes(NodeWith({IntAttributeProto("broadcast", 1)}),
                     Definitions())
          .status(),
      Fails(kUnimplemented,
            "node \"n\" (Op): attribute \"broadcast\" is not supported"));
}

TEST(OnnxAttributesTest, AttributeGivenTwiceIsRefused) {
  EXPECT_THAT(ReadAttributes(NodeWith({IntAttributeProto("axis", 0),
                                       IntAttributeProto("axis", 1)}),
                             Definitions())
                  .status(),
              Fails(kInvalid, "\"axis\" is given twice"));
}

TEST(OnnxAttributesTest, AttributeOfAnotherTypeIsRefused) {
  EXPECT_THAT(
      ReadAttributes(NodeWith({FloatAttributeProto("axis", 0)}), Definitions())
          .status(),
      Fails(kInvalid, "\"axis\" has type 1, wanted another"));
}

TEST(OnnxAttributesTest, AttributeOfAFunctionIsRefused) {
  onnx::AttributeProto attribute = IntAttributeProto("axis", 0);
  attribute.set_ref_attr_name("outer_axis");
  EXPECT_EQ(
      ReadAttributes(NodeWith({attribute}), Definitions()).status().code(),
      kInvalid);
}

TEST(OnnxAttributesTest, MissingAttributeIsRefusedWhenItIsRequired) {
  const AttributeDefinition required[] = {{"to", std::int64_t{0}, true}};
  EXPECT_THAT(ReadAttributes(NodeWith({}), required).status(),
              Fails(kInvalid, "\"to\" is missing"));
}

TEST(OnnxAttributesTest, ConstantReadsEveryFormOfNumbers) {
  onnx::AttributeProto value;
  value.set_name("value");
  value.set_type(onnx::AttributeProto::TENSOR);
  *value.mutable_t() = FloatTensorProto("", {1, 2}, {3, 4});
  EXPECT_THAT(ReadConstant(value)->As<float>(), ElementsAre(3, 4));
  EXPECT_EQ(ReadConstant(FloatAttributeProto("value_float", 2))->shape(),
            Shape{});
  EXPECT_THAT(
      ReadConstant(IntAttributeProto("value_int", 5))->As<std::int64_t>(),
      ElementsAre(5));
  EXPECT_THAT(ReadConstant(IntsAttributeProto("value_ints", {5, 6}))
                  ->As<std::int64_t>(),
              ElementsAre(5, 6));
  onnx::AttributeProto floats;
  floats.set_name("value_floats");
  floats.set_type(onnx::AttributeProto::FLOATS);
  floats.add_floats(1.5F);
  EXPECT_THAT(ReadConstant(floats)->As<float>(), ElementsAre(1.5F));
}

TEST(OnnxAttributesTest, ConstantRefusesStrings) {
  EXPECT_THAT(ReadConstant(StringAttributeProto("value_string", "a")).status(),
              Fails(kUnimplemented,
                    "node \"n\" (Constant): attribute "
                    "\"value_string\" of type 3"));
}

TEST(OnnxAttributesTest, ConstantRefusesAnyNumberOfAttributesButOne) {
  TensorSource source{.external = ExternalData("")};
  EXPECT_THAT(ReadConstantNode(NodeWith({}), source).status(),
              Fails(kInvalid, "0 attributes"));
}

}  // namespace
}  // namespace relu
