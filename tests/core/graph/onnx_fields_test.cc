#include "core/graph/onnx_fields.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/onnx.pb.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::string MessageOfAll() {
  onnx::NodeProto node;
  node.add_input("x");
  node.add_output("y");
  node.set_name("name");
  return node.SerializeAsString();
}

TEST(OnnxFieldsTest, FieldsThatAreKeptStayAsTheyAre) {
  EXPECT_EQ(FilterFields(MessageOfAll(),
                         [](int, const std::string&) { return true; }),
            MessageOfAll());
}

TEST(OnnxFieldsTest, FieldsAreToldByNumberAndContent) {
  onnx::NodeProto node;
  ASSERT_TRUE(node.ParseFromString(
      FilterFields(MessageOfAll(), [](int number, const std::string& content) {
        return number != 2 && content != "name";
      })));
  EXPECT_EQ(node.input_size(), 1);
  EXPECT_EQ(node.output_size(), 0);
  EXPECT_EQ(node.name(), "");
}

TEST(OnnxFieldsTest, NumbersHaveNoContent) {
  onnx::OperatorSetIdProto import;
  import.set_version(300);
  import.set_domain("d");
  const std::string kept = FilterFields(
      import.SerializeAsString(),
      [](int, const std::string& content) { return content.empty(); });
  ASSERT_TRUE(import.ParseFromString(kept));
  EXPECT_EQ(import.version(), 300);
  EXPECT_EQ(import.domain(), "");
}

TEST(OnnxFieldsTest, MetadataIsFoundByTheBeginningOfItsKey) {
  onnx::ModelProto model;
  model.set_producer_name("p");
  std::string bytes = model.SerializeAsString();
  for (const std::string key : {"ours.a", "theirs", "ours.b"}) {
    onnx::StringStringEntryProto entry;
    entry.set_key(key);
    entry.set_value("of " + key);
    AppendField(kModelMetadata, entry.SerializeAsString(), bytes);
  }
  AppendField(kModelMetadata, "\xFF", bytes);
  EXPECT_THAT(
      MetadataOf(bytes, "ours."),
      ElementsAre(Pair("ours.a", "of ours.a"), Pair("ours.b", "of ours.b")));
}

TEST(OnnxFieldsTest, AppendedFieldsAreRead) {
  std::string message = MessageOfAll();
  const std::string long_name(1000, 'n');
  AppendField(3, long_name, message);
  AppendField(1, "", message);
  onnx::NodeProto node;
  ASSERT_TRUE(node.ParseFromString(message));
  EXPECT_EQ(node.name(), long_name);
  EXPECT_EQ(node.input_size(), 2);
}

}  // namespace
}  // namespace relu
