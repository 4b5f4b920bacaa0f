#include "core/graph/value_declaration.h"

#include "gtest/gtest.h"

#include "core/tensor/data_type.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

onnx::ValueInfoProto Info(const OnnxValue& value) {
  ModelBuilder builder;
  builder.Input("x", value);
  return builder.graph().input(0);
}

TEST(ValueDeclarationTest, TypeAndShapeAreRead) {
  const auto declaration = ReadDeclaration(
      "input", Info({.sizes = {-1, 4}, .type = onnx::TensorProto::DOUBLE}));
  ASSERT_TRUE(declaration.ok()) << declaration.status();
  EXPECT_EQ(declaration->type, DataType::kFp64);
  EXPECT_EQ(declaration->shape, (Shape{-1, 4}));
}

TEST(ValueDeclarationTest, SizesAreOpenWhenUnsetOrMinusOne) {
  onnx::ValueInfoProto info = Info({.sizes = {-1, 4}});
  auto& shape = *info.mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.mutable_dim(0)->clear_dim_param();
  EXPECT_EQ(ReadDeclaration("input", info)->shape, (Shape{-1, 4}));
  shape.mutable_dim(0)->set_dim_value(-1);
  EXPECT_EQ(ReadDeclaration("input", info)->shape, (Shape{-1, 4}));
}

TEST(ValueDeclarationTest, WhatTheFileDoesNotSayIsLeftOpen) {
  onnx::ValueInfoProto info = Info({.sizes = {-1}});
  info.mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_EQ(ReadDeclaration("input", info)->shape, std::nullopt);
  info.clear_type();
  EXPECT_EQ(ReadDeclaration("input", info)->type, std::nullopt);
}

TEST(ValueDeclarationTest, OtherNegativeSizesAreRefused) {
  EXPECT_THAT(ReadDeclaration("input", Info({.sizes = {-2}})).status(),
              Fails(kInvalid, "input \"x\" has a dimension of size -2"));
}

TEST(ValueDeclarationTest, TypesWeDoNotHaveAreRefused) {
  EXPECT_THAT(
      ReadDeclaration("input",
                      Info({.sizes = {1}, .type = onnx::TensorProto::STRING}))
          .status(),
      Fails(kUnimplemented, "ONNX element type 8"));
}

TEST(ValueDeclarationTest, SequencesAndMapsAreRefused) {
  onnx::ValueInfoProto info;
  info.set_name("probabilities");
  info.mutable_type()->mutable_sequence_type();
  EXPECT_THAT(ReadDeclaration("output", info).status(),
              Fails(kUnimplemented, "output \"probabilities\" is a sequence"));
}

TEST(ValueDeclarationTest, TooManyDimensionsAreRefused) {
  EXPECT_THAT(ReadDeclaration("input", Info({.sizes = Shape(33, 1)})).status(),
              Fails(kUnimplemented, "33 dimensions"));
}

TEST(ValueDeclarationTest, SizesThatAreNotKnownFitAny) {
  const ValueDeclaration declared{.type = DataType::kFp32,
                                  .shape = Shape{-1, 4}};
  EXPECT_TRUE(Fits(declared, DataType::kFp32, {3, 4}));
  EXPECT_TRUE(Fits(declared, DataType::kFp32, {3, -1}));
  EXPECT_FALSE(Fits(declared, DataType::kFp32, {3, 5}));
  EXPECT_FALSE(Fits(declared, DataType::kFp32, {3}));
  EXPECT_FALSE(Fits(declared, DataType::kFp64, {3, 4}));
  EXPECT_TRUE(Fits({}, DataType::kBool, {}));
}

}  // namespace
}  // namespace relu
