#include "core/graph/shape_inference.h"

#include <cstdint>

#include "gtest/gtest.h"

#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"

namespace relu {
namespace {

using I = std::int64_t;

InferenceRun Gemm(I trans_a, I trans_b) {
  return InferenceRun(Operator::kGemm,
                      {{"transA", trans_a}, {"transB", trans_b}});
}

TEST(ShapeInferenceTest, ActivationKeepsTypeAndShape) {
  InferenceRun run(Operator::kRelu);
  const auto type =
      run.Batched({3, 4}, DataType::kFp16).Infer(&InferActivation);
  ASSERT_TRUE(type.ok()) << type.status();
  EXPECT_EQ(type->type, DataType::kFp16);
  EXPECT_EQ(type->shape, (Shape{-1, 3, 4}));
}

TEST(ShapeInferenceTest, ActivationRefusesIntegers) {
  InferenceRun run(Operator::kRelu);
  EXPECT_THAT(
      run.Batched({3}, DataType::kInt32).Infer(&InferActivation).status(),
      Fails(kUnimplemented, "floating-point"));
}

TEST(ShapeInferenceTest, ArithmeticBroadcasts) {
  InferenceRun rows(Operator::kAdd);
  EXPECT_EQ(rows.Batched({3, 1}).Batched({1, 4}).InferShape(&InferArithmetic),
            (Shape{-1, 3, 4}));
  InferenceRun constant(Operator::kAdd);
  EXPECT_EQ(constant.Constant({4}).Batched({3, 1}).InferShape(&InferArithmetic),
            (Shape{-1, 3, 4}));
  InferenceRun scalar(Operator::kAdd);
  EXPECT_EQ(scalar.Batched({}).Constant(Shape{}).InferShape(&InferArithmetic),
            (Shape{-1}));
  InferenceRun one(Operator::kAdd);
  EXPECT_EQ(one.Batched({2}).Constant({1, 2}).InferShape(&InferArithmetic),
            (Shape{-1, 2}));
  InferenceRun constants(Operator::kAdd);
  EXPECT_EQ(
      constants.Constant({5, 1}).Constant({2}).InferShape(&InferArithmetic),
      (Shape{5, 2}));
}

TEST(ShapeInferenceTest, ArithmeticRefusesShapesThatDoNotBroadcast) {
  InferenceRun run(Operator::kAdd);
  EXPECT_THAT(run.Batched({3}).Constant({4}).Infer(&InferArithmetic).status(),
              Fails(kInvalid, "do not broadcast"));
}

TEST(ShapeInferenceTest, ArithmeticRefusesConstantThatDiffersByRow) {
  InferenceRun run(Operator::kAdd);
  run.fixed_rows = 5;
  EXPECT_THAT(
      run.Batched({3}).Constant({5, 3}).Infer(&InferArithmetic).status(),
      Fails(kUnimplemented, "each row has another constant"));
}

TEST(ShapeInferenceTest, ArithmeticRefusesWhenBatchDoesNotStayFirst) {
  InferenceRun constant(Operator::kAdd);
  EXPECT_THAT(constant.Batched({3})
                  .Constant({1, 1, 3})
                  .Infer(&InferArithmetic)
                  .status(),
              Fails(kUnimplemented, "batch would not stay the first"));
  InferenceRun rows(Operator::kAdd);
  EXPECT_THAT(
      rows.Batched({3, 4}).Batched({4}).Infer(&InferArithmetic).status(),
      Fails(kUnimplemented, "batch would not stay the first"));
}

TEST(ShapeInferenceTest, ArithmeticRefusesTypesThatDifferOrAreRare) {
  InferenceRun two(Operator::kAdd);
  EXPECT_EQ(two.Batched({3})
                .Constant({3}, DataType::kFp64)
                .Infer(&InferArithmetic)
                .status()
                .code(),
            kInvalid);
  InferenceRun bytes(Operator::kAdd);
  EXPECT_EQ(bytes.Batched({3}, DataType::kUint8)
                .Constant({3}, DataType::kUint8)
                .Infer(&InferArithmetic)
                .status()
                .code(),
            kUnimplemented);
}

TEST(ShapeInferenceTest, GemmGivesRowsOfOutputs) {
  InferenceRun plain = Gemm(0, 0);
  EXPECT_EQ(plain.Batched({4}).Constant({4, 3}).InferShape(&InferGemm),
            (Shape{-1, 3}));
  InferenceRun transposed = Gemm(0, 1);
  EXPECT_EQ(transposed.Batched({4}).Constant({3, 4}).InferShape(&InferGemm),
            (Shape{-1, 3}));
  InferenceRun constants = Gemm(1, 0);
  EXPECT_EQ(constants.Constant({4, 2}).Constant({4, 3}).InferShape(&InferGemm),
            (Shape{2, 3}));
}

TEST(ShapeInferenceTest, GemmTakesEveryBiasThatBroadcasts) {
  for (const Shape& bias :
       {Shape{}, Shape{1}, Shape{3}, Shape{1, 1}, Shape{1, 3}}) {
    InferenceRun run = Gemm(0, 0);
    EXPECT_EQ(
        run.Batched({4}).Constant({4, 3}).Constant(bias).InferShape(&InferGemm),
        (Shape{-1, 3}))
        << ShapeText(bias);
  }
  InferenceRun none = Gemm(0, 0);
  EXPECT_EQ(none.Batched({4}).Constant({4, 3}).LeftOut().InferShape(&InferGemm),
            (Shape{-1, 3}));
}

TEST(ShapeInferenceTest, GemmRefusesBiasThatDoesNotBroadcast) {
  for (const Shape& bias : {Shape{4}, Shape{2, 3}, Shape{1, 1, 3}}) {
    InferenceRun run = Gemm(0, 0);
    EXPECT_THAT(run.Batched({4})
                    .Constant({4, 3})
                    .Constant(bias)
                    .Infer(&InferGemm)
                    .status(),
                Fails(kInvalid, "wanted a shape that broadcasts to [-1,3]"));
  }
}

TEST(ShapeInferenceTest, GemmRefusesBiasThatIsComputedOrDiffersByRow) {
  InferenceRun computed = Gemm(0, 0);
  EXPECT_THAT(computed.Batched({4})
                  .Constant({4, 3})
                  .Batched({3})
                  .Infer(&InferGemm)
                  .status(),
              Fails(kUnimplemented, "export an Add instead"));
  InferenceRun by_row = Gemm(0, 0);
  by_row.fixed_rows = 2;
  EXPECT_THAT(by_row.Batched({4})
                  .Constant({4, 3})
                  .Constant({2, 3})
                  .Infer(&InferGemm)
                  .status(),
              Fails(kUnimplemented, "another for each row"));
}

TEST(ShapeInferenceTest, GemmRefusesWhenSizesDoNotMultiply) {
  InferenceRun sizes = Gemm(0, 0);
  EXPECT_THAT(sizes.Batched({4}).Constant({3, 4}).Infer(&InferGemm).status(),
              Fails(kInvalid, "wanted 4 rows of weights"));
  InferenceRun ranks = Gemm(0, 0);
  EXPECT_THAT(ranks.Batched({2, 4}).Constant({4, 3}).Infer(&InferGemm).status(),
              Fails(kInvalid, "wanted two matrices"));
}

TEST(ShapeInferenceTest, GemmRefusesWeightsOnTheLeft) {
  InferenceRun left = Gemm(0, 0);
  EXPECT_THAT(left.Constant({3, 4}).Batched({4}).Infer(&InferGemm).status(),
              Fails(kUnimplemented, "export the layer as x * W"));
  InferenceRun transposed = Gemm(1, 0);
  EXPECT_EQ(transposed.Batched({4})
                .Constant({4, 3})
                .Infer(&InferGemm)
                .status()
                .code(),
            kUnimplemented);
}

TEST(ShapeInferenceTest, MatMulReplacesLastSize) {
  InferenceRun matrix(Operator::kMatMul);
  EXPECT_EQ(matrix.Batched({2, 4}).Constant({4, 3}).InferShape(&InferMatMul),
            (Shape{-1, 2, 3}));
  InferenceRun vector(Operator::kMatMul);
  EXPECT_EQ(vector.Batched({4}).Constant({4}).InferShape(&InferMatMul),
            (Shape{-1}));
}

TEST(ShapeInferenceTest, MatMulRefusesWhatItCannotMultiply) {
  InferenceRun sizes(Operator::kMatMul);
  EXPECT_EQ(
      sizes.Batched({4}).Constant({3, 4}).Infer(&InferMatMul).status().code(),
      kInvalid);
  InferenceRun scalar(Operator::kMatMul);
  EXPECT_EQ(
      scalar.Batched({4}).Constant(Shape{}).Infer(&InferMatMul).status().code(),
      kInvalid);
  InferenceRun left(Operator::kMatMul);
  EXPECT_THAT(left.Constant({3, 4}).Batched({4}).Infer(&InferMatMul).status(),
              Fails(kUnimplemented, "x * W"));
  InferenceRun stack(Operator::kMatMul);
  EXPECT_THAT(
      stack.Batched({4}).Constant({2, 4, 3}).Infer(&InferMatMul).status(),
      Fails(kUnimplemented, "a single matrix"));
  InferenceRun mixing(Operator::kMatMul);
  EXPECT_THAT(mixing.Batched({}).Constant({4}).Infer(&InferMatMul).status(),
              Fails(kUnimplemented, "across the rows"));
}

TEST(ShapeInferenceTest, SoftmaxFillsInAxisByOpset) {
  InferenceRun old(Operator::kSoftmax, {{"axis", kUnsetAttribute}});
  old.opset = 11;
  EXPECT_EQ(old.Batched({3, 4}).InferShape(&InferSoftmax), (Shape{-1, 3, 4}));
  EXPECT_EQ(IntAttribute(old.node, "axis"), 1);
  EXPECT_EQ(IntAttribute(old.node, "flatten"), 1);
  InferenceRun current(Operator::kSoftmax, {{"axis", kUnsetAttribute}});
  current.opset = 13;
  current.Batched({3, 4}).InferShape(&InferSoftmax);
  EXPECT_EQ(IntAttribute(current.node, "axis"), 2);
  EXPECT_EQ(IntAttribute(current.node, "flatten"), 0);
}

TEST(ShapeInferenceTest, SoftmaxRefusesBatchAxis) {
  for (const I axis : {I{0}, I{-2}}) {
    InferenceRun run(Operator::kSoftmax, {{"axis", axis}});
    EXPECT_THAT(run.Batched({4}).Infer(&InferSoftmax).status(),
                Fails(kUnimplemented, "across the rows"));
  }
}

TEST(ShapeInferenceTest, ArgMaxKeepsOrDropsAxis) {
  InferenceRun keep(Operator::kArgMax, {{"axis", I{-1}}, {"keepdims", I{1}}});
  const auto kept = keep.Batched({3, 4}).Infer(&InferArgMax);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->type, DataType::kInt64);
  EXPECT_EQ(kept->shape, (Shape{-1, 3, 1}));
  InferenceRun drop(Operator::kArgMax, {{"axis", I{1}}, {"keepdims", I{0}}});
  EXPECT_EQ(drop.Batched({3, 4}).InferShape(&InferArgMax), (Shape{-1, 4}));
}

TEST(ShapeInferenceTest, ArgMaxRefusesBatchAxisAndNothingToChooseFrom) {
  InferenceRun batch(Operator::kArgMax, {{"axis", I{0}}, {"keepdims", I{1}}});
  EXPECT_EQ(batch.Batched({3}).Infer(&InferArgMax).status().code(),
            kUnimplemented);
  InferenceRun empty(Operator::kArgMax, {{"axis", I{0}}, {"keepdims", I{1}}});
  EXPECT_THAT(empty.Constant({0}).Infer(&InferArgMax).status(),
              Fails(kInvalid, "nothing to choose from"));
}

TEST(ShapeInferenceTest, CastTurnsNumberOfOnnxIntoDataType) {
  InferenceRun run(Operator::kCast, {{"to", I{onnx::TensorProto::DOUBLE}}});
  const auto type = run.Batched({3}).Infer(&InferCast);
  ASSERT_TRUE(type.ok()) << type.status();
  EXPECT_EQ(type->type, DataType::kFp64);
  EXPECT_EQ(IntAttribute(run.node, "to"), static_cast<I>(DataType::kFp64));
}

TEST(ShapeInferenceTest, CastRefusesTypesWeDoNotHave) {
  for (const I type : {I{onnx::TensorProto::STRING}, I{0}, I{-1}, I{1} << 40}) {
    InferenceRun run(Operator::kCast, {{"to", type}});
    EXPECT_THAT(run.Batched({3}).Infer(&InferCast).status(),
                Fails(kUnimplemented, "element type"));
  }
}

}  // namespace
}  // namespace relu
