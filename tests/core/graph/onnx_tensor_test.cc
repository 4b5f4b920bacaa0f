#include "core/graph/onnx_tensor.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/external_data.h"
#include "core/graph/onnx_file.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using onnx::TensorProto;
using ::testing::ElementsAre;

// The same tensor from a file whose outline has been read.
absl::StatusOr<Tensor> ReadFromFile(const TensorProto& proto) {
  TestFolder folder;
  onnx::ModelProto model;
  *model.mutable_graph()->add_initializer() = proto;
  ASSIGN_OR_RETURN(const File file,
                   OpenOnnxFile(folder.Write("model.onnx", model)));
  ASSIGN_OR_RETURN(const onnx::ModelProto outline, ReadOnnxOutline(file));
  TensorSource source{.external = ExternalData(""), .file = &file};
  return TensorFromOnnx(outline.graph().initializer(0), source);
}

// From the message, and that from a file it is the same.
absl::StatusOr<Tensor> ReadTensor(const TensorProto& proto) {
  TensorSource source{.external = ExternalData("")};
  auto tensor = TensorFromOnnx(proto, source);
  const auto other = ReadFromFile(proto);
  EXPECT_EQ(other.status(), tensor.status());
  if (tensor.ok() && other.ok()) {
    EXPECT_EQ(other->type(), tensor->type());
    EXPECT_EQ(other->shape(), tensor->shape());
    EXPECT_TRUE(std::ranges::equal(other->bytes(), tensor->bytes()));
  }
  return tensor;
}

// A vector of two elements without data.
TensorProto Pair(int type) {
  TensorProto proto;
  proto.set_name("w");
  proto.set_data_type(type);
  proto.add_dims(2);
  return proto;
}

TEST(OnnxTensorTest, RawDataIsReadForEveryType) {
  constexpr std::pair<int, std::size_t> kTypes[] = {
      {TensorProto::BOOL, 1},    {TensorProto::UINT8, 1},
      {TensorProto::UINT16, 2},  {TensorProto::UINT32, 4},
      {TensorProto::UINT64, 8},  {TensorProto::INT8, 1},
      {TensorProto::INT16, 2},   {TensorProto::INT32, 4},
      {TensorProto::INT64, 8},   {TensorProto::FLOAT16, 2},
      {TensorProto::FLOAT, 4},   {TensorProto::DOUBLE, 8},
      {TensorProto::BFLOAT16, 2}};
  for (const auto& [type, bytes] : kTypes) {
    TensorProto proto = Pair(type);
    proto.set_raw_data(std::string(2 * bytes, '\1'));
    const auto tensor = ReadTensor(proto);
    ASSERT_TRUE(tensor.ok()) << tensor.status();
    EXPECT_EQ(DataTypeSize(tensor->type()), bytes) << type;
    EXPECT_EQ(tensor->bytes().back(), std::byte{1});
  }
}

TEST(OnnxTensorTest, TypedFieldsAreReadForEveryType) {
  for (const int type :
       {TensorProto::BOOL, TensorProto::UINT8, TensorProto::UINT16,
        TensorProto::INT8, TensorProto::INT16, TensorProto::INT32}) {
    TensorProto proto = Pair(type);
    proto.add_int32_data(0);
    proto.add_int32_data(1);
    EXPECT_THAT(ToIntegers(*ReadTensor(proto)), ElementsAre(0, 1)) << type;
  }
  for (const int type : {TensorProto::UINT32, TensorProto::UINT64}) {
    TensorProto proto = Pair(type);
    proto.add_uint64_data(0);
    proto.add_uint64_data(std::numeric_limits<std::uint32_t>::max());
    EXPECT_THAT(ToIntegers(*ReadTensor(proto)), ElementsAre(0, 4294967295))
        << type;
  }
  TensorProto integers = Pair(TensorProto::INT64);
  integers.add_int64_data(-1);
  integers.add_int64_data(2);
  EXPECT_THAT(ToIntegers(*ReadTensor(integers)), ElementsAre(-1, 2));
  TensorProto floats = Pair(TensorProto::FLOAT);
  floats.add_float_data(0.5F);
  floats.add_float_data(2);
  EXPECT_THAT(ReadTensor(floats)->As<float>(), ElementsAre(0.5F, 2));
  TensorProto doubles = Pair(TensorProto::DOUBLE);
  doubles.add_double_data(0.1);
  doubles.add_double_data(2);
  EXPECT_THAT(ReadTensor(doubles)->As<double>(), ElementsAre(0.1, 2));
}

TEST(OnnxTensorTest, HalfIsReadFromItsBitsInIntegers) {
  TensorProto half = Pair(TensorProto::FLOAT16);
  half.add_int32_data(0x3C00);
  half.add_int32_data(0xC000);
  EXPECT_THAT(ToDoubles(*ReadTensor(half)), ElementsAre(1, -2));
  TensorProto brain = Pair(TensorProto::BFLOAT16);
  brain.add_int32_data(0x3F80);
  brain.add_int32_data(0xC000);
  EXPECT_THAT(ToDoubles(*ReadTensor(brain)), ElementsAre(1, -2));
}

TEST(OnnxTensorTest, ScalarsAndEmptyVectorsAreRead) {
  EXPECT_EQ(ReadTensor(FloatTensorProto("w", {}, {3}))->shape(), Shape{});
  EXPECT_EQ(ReadTensor(Int64TensorProto("w", {0}, {}))->element_count(), 0);
}

TEST(OnnxTensorTest, SizeOfRawDataMustBeThatOfShape) {
  TensorProto proto = FloatTensorProto("w", {2, 2}, {1, 2, 3});
  EXPECT_THAT(ReadTensor(proto).status(),
              Fails(kInvalid, "tensor \"w\": 12 bytes of raw data"));
}

TEST(OnnxTensorTest, SizeOfTypedFieldMustBeThatOfShape) {
  TensorProto proto = Pair(TensorProto::FLOAT);
  proto.add_float_data(1);
  EXPECT_THAT(ReadTensor(proto).status(),
              Fails(kInvalid, "1 elements in the field"));
}

TEST(OnnxTensorTest, DataInAnotherFieldIsRefused) {
  TensorProto wrong = Pair(TensorProto::FLOAT);
  wrong.add_int32_data(1);
  wrong.add_int32_data(1);
  EXPECT_EQ(ReadTensor(wrong).status().code(), kInvalid);
  TensorProto both = FloatTensorProto("w", {1}, {1});
  both.add_float_data(1);
  EXPECT_EQ(ReadTensor(both).status().code(), kInvalid);
  TensorProto two = Pair(TensorProto::FLOAT);
  two.add_float_data(1);
  two.add_float_data(1);
  two.add_int64_data(1);
  EXPECT_EQ(ReadTensor(two).status().code(), kInvalid);
}

TEST(OnnxTensorTest, ElementOutOfRangeIsRefused) {
  TensorProto proto = Pair(TensorProto::UINT8);
  proto.add_int32_data(0);
  proto.add_int32_data(256);
  EXPECT_THAT(ReadTensor(proto).status(),
              Fails(kInvalid, "out of range for UINT8"));
}

TEST(OnnxTensorTest, ImpossibleShapesAreRefused) {
  const std::int64_t huge = std::int64_t{1} << 40;
  for (const Shape& dims : {Shape{-1}, Shape{huge, huge}, Shape{2 * huge}}) {
    EXPECT_THAT(ReadTensor(FloatTensorProto("w", dims, {1})).status(),
                Fails(kInvalid, "shape"));
  }
  EXPECT_THAT(ReadTensor(FloatTensorProto("w", Shape(33, 1), {1})).status(),
              Fails(kUnimplemented, "33 dimensions"));
}

TEST(OnnxTensorTest, OtherTypesAndFormsAreRefused) {
  for (const int type : {0, 8, 14, 15, 17, 23, -1}) {
    EXPECT_THAT(ReadTensor(Pair(type)).status(),
                Fails(kUnimplemented, "element type"));
  }
  TensorProto segment = FloatTensorProto("w", {1}, {1});
  segment.mutable_segment();
  EXPECT_EQ(ReadTensor(segment).status().code(), kUnimplemented);
}

TEST(OnnxTensorTest, PackedStretchesFollowEachOther) {
  // 1 and 2 in one, 300 in the next.
  const std::string data("\x3A\2\1\2\x3A\2\xAC\2");
  TensorProto proto = Pair(TensorProto::INT64);
  proto.set_dims(0, 3);
  TensorProto packed;
  ASSERT_TRUE(packed.ParseFromString(proto.SerializeAsString() + data));
  EXPECT_THAT(ToIntegers(*ReadTensor(packed)), ElementsAre(1, 2, 300));
}

TEST(OnnxTensorTest, LargeTensorsHaveNoElementsInOutlines) {
  TensorSource source{.external = ExternalData(""), .outlines = true};
  TensorProto proto = Pair(TensorProto::INT8);
  proto.set_dims(0, 4097);
  proto.set_raw_data(std::string(4097, '\1'));
  const auto large = TensorFromOnnx(proto, source);
  ASSERT_TRUE(large.ok()) << large.status();
  EXPECT_EQ(large->element_count(), 4097);
  EXPECT_TRUE(large->bytes().empty());
  proto.set_dims(0, 4098);
  EXPECT_EQ(TensorFromOnnx(proto, source).status().code(), kInvalid);
}

TEST(OnnxTensorTest, SmallTensorsAndIndicesHaveElementsInOutlines) {
  TensorSource source{.external = ExternalData(""), .outlines = true};
  TensorProto proto = Pair(TensorProto::INT8);
  proto.set_dims(0, 4096);
  proto.set_raw_data(std::string(4096, '\1'));
  EXPECT_EQ(TensorFromOnnx(proto, source)->bytes().size(), 4096U);
  const TensorProto indices =
      Int64TensorProto("i", {5000}, std::vector<std::int64_t>(5000));
  EXPECT_EQ(TensorFromOnnx(indices, source)->As<std::int64_t>().size(), 5000U);
}

TEST(OnnxTensorTest, StretchesAreRefusedWithoutTheFile) {
  TensorSource source{.external = ExternalData("")};
  TensorProto proto = Pair(TensorProto::INT8);
  proto.add_left_in_file()->set_field(TensorProto::kRawDataFieldNumber);
  EXPECT_THAT(TensorFromOnnx(proto, source).status(),
              Fails(kInvalid, "left_in_file"));
}

// Two floats, 1 and 2, in a file after four other bytes.
class OnnxTensorExternalTest : public ::testing::Test {
 protected:
  OnnxTensorExternalTest() {
    folder_.Write("data",
                  "skip" + FloatTensorProto("", {2}, {1, 2}).raw_data());
    proto_.set_data_location(TensorProto::EXTERNAL);
    Set("location", "data");
    Set("offset", "4");
  }
  void Set(const std::string& key, const std::string& value) {
    auto& entry = *proto_.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
  absl::StatusOr<Tensor> ReadIt() {
    TensorSource source{.external = ExternalData(folder_.path())};
    return TensorFromOnnx(proto_, source);
  }

  TestFolder folder_;
  TensorProto proto_ = Pair(TensorProto::FLOAT);
};

TEST_F(OnnxTensorExternalTest, DataIsReadFromOffset) {
  Set("length", "8");
  Set("checksum", "whatever");
  const auto tensor = ReadIt();
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_THAT(tensor->As<float>(), ElementsAre(1, 2));
}

TEST_F(OnnxTensorExternalTest, NumbersThatAreNoneAreRefused) {
  for (const std::string text :
       {"", "-1", "8 ", "0x8", "99999999999999999999"}) {
    proto_.mutable_external_data(1)->set_value(text);
    EXPECT_THAT(ReadIt().status(), Fails(kInvalid, "wanted a number of bytes"))
        << text;
  }
}

TEST_F(OnnxTensorExternalTest, ErrorsNameTheTensor) {
  Set("length", "4");
  EXPECT_THAT(ReadIt().status(), Fails(kInvalid, "tensor \"w\": "));
}

TEST_F(OnnxTensorExternalTest, DataOfItsOwnBesideIsRefused) {
  proto_.set_raw_data("12345678");
  EXPECT_EQ(ReadIt().status().code(), kInvalid);
}

}  // namespace
}  // namespace relu
