#include "core/graph/quantization_inference.h"

#include <cstdint>

#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"

namespace relu {
namespace {

using I = std::int64_t;

InferenceRun Linear(Operator op, I block_size = 0, I output_dtype = 0) {
  return InferenceRun(op, {{"axis", I{1}},
                           {"block_size", block_size},
                           {"output_dtype", output_dtype}});
}

TEST(QuantizationInferenceTest, QuantizeGivesTypeOfZeroPoint) {
  InferenceRun none = Linear(Operator::kQuantizeLinear);
  const auto bytes =
      none.Batched({3}).Constant(Shape{}).Infer(&InferQuantizeLinear);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(bytes->type, DataType::kUint8);
  InferenceRun zero = Linear(Operator::kQuantizeLinear);
  const auto given = zero.Batched({3})
                         .Constant(Shape{3})
                         .Constant({3}, DataType::kInt8)
                         .Infer(&InferQuantizeLinear);
  ASSERT_TRUE(given.ok()) << given.status();
  EXPECT_EQ(given->type, DataType::kInt8);
}

TEST(QuantizationInferenceTest, ScalesMustFitTheAxis) {
  InferenceRun run = Linear(Operator::kQuantizeLinear);
  EXPECT_THAT(
      run.Batched({3}).Constant(Shape{2}).Infer(&InferQuantizeLinear).status(),
      Fails(kInvalid, "wanted 1 or 3 elements"));
  InferenceRun zero = Linear(Operator::kDequantizeLinear);
  EXPECT_THAT(zero.Batched({3}, DataType::kInt8)
                  .Constant(Shape{3})
                  .Constant({1}, DataType::kInt8)
                  .Infer(&InferDequantizeLinear)
                  .status(),
              Fails(kInvalid, "wanted one shape"));
}

TEST(QuantizationInferenceTest, BlocksAndOtherTypesAreRefused) {
  InferenceRun blocks = Linear(Operator::kQuantizeLinear, 16);
  EXPECT_THAT(blocks.Batched({3})
                  .Constant(Shape{})
                  .Infer(&InferQuantizeLinear)
                  .status(),
              Fails(kUnimplemented, "in blocks"));
  InferenceRun floats = Linear(Operator::kQuantizeLinear, 0, 17);
  EXPECT_EQ(floats.Batched({3})
                .Constant(Shape{})
                .Infer(&InferQuantizeLinear)
                .status()
                .code(),
            kUnimplemented);
  InferenceRun wide = Linear(Operator::kDequantizeLinear);
  EXPECT_EQ(wide.Batched({3}, DataType::kInt64)
                .Constant(Shape{})
                .Infer(&InferDequantizeLinear)
                .status()
                .code(),
            kUnimplemented);
}

TEST(QuantizationInferenceTest, ProductsOfBytesAreIntegers) {
  InferenceRun run(Operator::kMatMulInteger);
  const auto type = run.Batched({4}, DataType::kUint8)
                        .Constant({4, 3}, DataType::kInt8)
                        .LeftOut()
                        .Constant({3}, DataType::kInt8)
                        .Infer(&InferMatMulInteger);
  ASSERT_TRUE(type.ok()) << type.status();
  EXPECT_EQ(type->type, DataType::kInt32);
  EXPECT_EQ(type->shape, (Shape{-1, 3}));
  InferenceRun zeros(Operator::kMatMulInteger);
  EXPECT_EQ(zeros.Batched({4}, DataType::kUint8)
                .Constant({4, 3}, DataType::kInt8)
                .LeftOut()
                .Constant({2}, DataType::kInt8)
                .Infer(&InferMatMulInteger)
                .status()
                .code(),
            kUnimplemented);
}

TEST(QuantizationInferenceTest, ZeroPointsHaveTheTypeOfTheirMatrix) {
  for (const DataType type : {DataType::kFp32, DataType::kInt8}) {
    InferenceRun run(Operator::kMatMulInteger);
    EXPECT_EQ(run.Batched({4}, DataType::kUint8)
                  .Constant({4, 3}, DataType::kInt8)
                  .Constant({}, type)
                  .Infer(&InferMatMulInteger)
                  .status()
                  .code(),
              kInvalid);
  }
}

TEST(QuantizationInferenceTest, DynamicQuantizationHasThreeOutputs) {
  InferenceRun run(Operator::kDynamicQuantizeLinear);
  EXPECT_EQ(run.Batched({4}).InferShape(&InferDynamicQuantizeLinear),
            (Shape{-1, 4}));
  InferenceRun doubles(Operator::kDynamicQuantizeLinear);
  EXPECT_EQ(doubles.Batched({4}, DataType::kFp64)
                .Infer(&InferDynamicQuantizeLinear)
                .status()
                .code(),
            kInvalid);
}

}  // namespace
}  // namespace relu
