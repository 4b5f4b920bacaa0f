#include "core/graph/onnx_wire.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "gtest/gtest.h"

#include "core/base/status_macros.h"
#include "core/graph/onnx_fields.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using google::protobuf::io::ArrayInputStream;

std::string Varint(std::size_t number) {
  std::string bytes;
  for (; number > 0x7F; number >>= 7U) {
    bytes += static_cast<char>(number | 0x80U);
  }
  return bytes + static_cast<char>(number);
}

// A field of a message, of at most 15, that holds `content`.
std::string Field(std::size_t number, std::string_view content) {
  return Varint(number << 3U | 2U) + Varint(content.size()) +
         std::string(content);
}

std::string Repeat(std::string_view bytes, std::size_t count) {
  const std::size_t size = bytes.size() * count;
  std::string result(bytes);
  while (result.size() < size) {
    result += result;
  }
  result.resize(size);
  return result;
}

TEST(OnnxWireTest, RealModelIsAccepted) {
  EXPECT_TRUE(
      CheckOnnxWire(MakeMlp({20, 30, 5}).model().SerializeAsString()).ok());
}

TEST(OnnxWireTest, UnknownFieldsAreAccepted) {
  EXPECT_TRUE(CheckOnnxWire(Field(14, Repeat("\x80", 200'000))).ok());
}

TEST(OnnxWireTest, EveryTruncationInsideAFieldIsRefused) {
  const std::string graph = Field(7, Field(1, Field(4, "Relu")));
  for (std::size_t size = 1; size < graph.size(); ++size) {
    EXPECT_THAT(CheckOnnxWire(std::string_view(graph).substr(0, size)),
                Fails(kInvalid, "cut short"))
        << size;
  }
}

TEST(OnnxWireTest, LengthsPastTheEndOfTheOuterMessageAreRefused) {
  // The node says 9 bytes, the graph around it has 2.
  EXPECT_EQ(CheckOnnxWire("\x3A\x02\x0A\x09 and more bytes").code(), kInvalid);
}

TEST(OnnxWireTest, TooManyMessagesAreRefused) {
  for (const std::size_t number : {1U, 5U, 11U, 12U, 15U}) {
    EXPECT_THAT(CheckOnnxWire(Field(7, Repeat(Field(number, ""), 100'001))),
                Fails(kInvalid, "more than 100000"))
        << number;
  }
  EXPECT_THAT(CheckOnnxWire(Repeat(Field(8, ""), 100'001)),
              Fails(kInvalid, "more than 100000"));
}

TEST(OnnxWireTest, TooManyNamesInsideNodesAreRefused) {
  const std::string node = Field(1, Repeat(Field(1, ""), 60'000));
  EXPECT_TRUE(CheckOnnxWire(Field(7, node)).ok());
  EXPECT_EQ(CheckOnnxWire(Field(7, node + node)).code(), kInvalid);
}

TEST(OnnxWireTest, TooManyPackedNumbersAreRefused) {
  // One byte each here, eight in memory.
  const std::string dims = Field(1, std::string(8 << 20, '\1'));
  EXPECT_EQ(CheckOnnxWire(Field(7, Field(5, dims))).code(), kInvalid);
  const std::string few = Field(1, std::string(1 << 18, '\1'));
  EXPECT_TRUE(CheckOnnxWire(Field(7, Field(5, few))).ok());
}

TEST(OnnxWireTest, TooLongNamesAreRefused) {
  const std::string name = Field(2, std::string(33 << 20, 'x'));
  EXPECT_THAT(CheckOnnxWire(Field(7, name)),
              Fails(kInvalid, "bytes that are not elements of tensors"));
}

TEST(OnnxWireTest, TooManyPlainNumbersAreRefused) {
  const std::string dims = Repeat("\x08\x01", 5 << 20);
  EXPECT_EQ(CheckOnnxWire(Field(7, Field(5, dims))).code(), kInvalid);
}

TEST(OnnxWireTest, HalfPrecisionWeightsInIntegersAreAccepted) {
  // Two to three bytes each here, four in memory.
  const std::string data = Field(5, Repeat("\x80\x78", 12 << 20));
  EXPECT_TRUE(CheckOnnxWire(Field(7, Field(5, data))).ok());
}

// --- Outlines ---

absl::StatusOr<onnx::ModelProto> Outline(const std::string& bytes) {
  ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()),
                          /*block_size=*/7);
  ASSIGN_OR_RETURN(const std::string outline,
                   OutlineOnnx(stream, bytes.size()));
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(outline));
  return model;
}

TEST(OnnxWireTest, OutlineOfModelWithoutTensorsIsTheModel) {
  ModelBuilder builder(11);
  builder.Input("x", {.sizes = {-1, 2}})
      .Node("Transpose", {"x"}, "t", {IntsAttributeProto("perm", {1, 0})})
      .Node("Elu", {"t"}, "y", {FloatAttributeProto("alpha", 0.5F)})
      .Output("y", {.sizes = {-1, 2}});
  builder.model().add_functions()->set_name("f");
  const auto outline = Outline(builder.model().SerializeAsString());
  ASSERT_TRUE(outline.ok()) << outline.status();
  EXPECT_EQ(outline->SerializeAsString(), builder.model().SerializeAsString());
}

TEST(OnnxWireTest, OutlineTellsWhereTheElementsOfTensorsAre) {
  ModelBuilder builder;
  onnx::TensorProto floats;
  floats.set_name("f");
  floats.add_float_data(1);
  floats.add_float_data(2);
  onnx::TensorProto integers;
  for (const int number : {1, -1, 300}) {
    integers.add_int64_data(number);
  }
  builder.Initializer(floats).Initializer(integers);
  onnx::TensorProto raw;
  raw.set_name("r");
  raw.set_raw_data("the bytes");
  builder.Initializer(raw);
  builder.Node("Constant", {}, "c");
  *builder.graph().mutable_node(0)->add_attribute()->mutable_t() = raw;
  const std::string bytes = builder.model().SerializeAsString();
  const auto outline = Outline(bytes);
  ASSERT_TRUE(outline.ok()) << outline.status();
  const auto& tensors = outline->graph().initializer();
  ASSERT_EQ(tensors.size(), 3);
  EXPECT_EQ(tensors[0].name(), "f");
  EXPECT_EQ(tensors[0].float_data_size(), 0);
  EXPECT_EQ(tensors[0].left_in_file(0).field(), 4);
  EXPECT_EQ(tensors[0].left_in_file(0).length_bytes(), 8);
  EXPECT_EQ(tensors[0].left_in_file(0).elements(), 2);
  EXPECT_EQ(tensors[1].left_in_file(0).field(), 7);
  EXPECT_EQ(tensors[1].left_in_file(0).length_bytes(), 1 + 10 + 2);
  EXPECT_EQ(tensors[1].left_in_file(0).elements(), 3);
  for (const onnx::TensorProto& tensor :
       {tensors[2], outline->graph().node(0).attribute(0).t()}) {
    ASSERT_EQ(tensor.left_in_file_size(), 1);
    EXPECT_EQ(tensor.left_in_file(0).field(), 9);
    EXPECT_EQ(
        bytes.substr(
            static_cast<std::size_t>(tensor.left_in_file(0).offset_bytes()),
            static_cast<std::size_t>(tensor.left_in_file(0).length_bytes())),
        "the bytes");
  }
}

TEST(OnnxWireTest, OutlineLeavesOutWhatNobodyReads) {
  const auto outline = Outline(Field(6, "documentation") +
                               Field(14, Field(1, "key") + Field(2, "value")) +
                               Field(7, Field(10, "documentation")));
  ASSERT_TRUE(outline.ok()) << outline.status();
  EXPECT_TRUE(outline->has_graph());
  EXPECT_EQ(MetadataOf(outline->SerializeAsString(), "k").at("key"), "value");
  EXPECT_EQ(outline->SerializeAsString().find("documentation"),
            std::string::npos);
}

TEST(OnnxWireTest, OutlineTakesNoStretchesFromTheFile) {
  onnx::TensorProto tensor;
  tensor.add_left_in_file()->set_offset_bytes(1000);
  const auto outline = Outline(Field(7, Field(5, tensor.SerializeAsString())));
  ASSERT_TRUE(outline.ok()) << outline.status();
  EXPECT_EQ(outline->graph().initializer(0).left_in_file_size(), 0);
}

TEST(OnnxWireTest, OutlineRefusesMessagesThatAreLongerThanThoseAround) {
  // A graph of 2 bytes, whose node says 16, which the file has.
  const std::string bytes =
      std::string("\x3A\2\x0A\x10") + Field(8, std::string(14, '\0'));
  EXPECT_FALSE(onnx::ModelProto().ParseFromString(bytes));
  EXPECT_EQ(Outline(bytes).status().code(), kInvalid);
}

TEST(OnnxWireTest, OutlineRefusesNumbersThatAreCutShort) {
  // A number of several bytes whose last one is missing; half a float.
  for (const std::string& data : {Field(7, "\1\x80"), Field(4, "\1\1\1")}) {
    EXPECT_EQ(Outline(Field(7, Field(5, data))).status().code(), kInvalid);
  }
}

}  // namespace
}  // namespace relu
