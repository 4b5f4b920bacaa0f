#include "core/graph/shape_inference.h"

#include <cstdint>
#include <limits>
#include <string>

#include "gtest/gtest.h"

#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using I = std::int64_t;

InferenceRun GemmRun(I trans_a, I trans_b) {
  return InferenceRun(Operator::kGemm, {{"alpha", 1.0F},
                                        {"beta", 1.0F},
                                        {"transA", trans_a},
                                        {"transB", trans_b}});
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
      Fails(kUnimplemented, "the batch meets a fixed size"));
}

TEST(ShapeInferenceTest, ArithmeticMayMoveTheBatch) {
  InferenceRun constant(Operator::kAdd);
  EXPECT_EQ(
      constant.Batched({3}).Constant({1, 1, 3}).InferShape(&InferArithmetic),
      (Shape{1, -1, 3}));
}

TEST(ShapeInferenceTest, ArithmeticRefusesTypesThatDifferOrAreBool) {
  InferenceRun two(Operator::kAdd);
  EXPECT_EQ(two.Batched({3})
                .Constant({3}, DataType::kFp64)
                .Infer(&InferArithmetic)
                .status()
                .code(),
            kInvalid);
  InferenceRun bytes(Operator::kAdd);
  EXPECT_EQ(bytes.Batched({3}, DataType::kBool)
                .Constant({3}, DataType::kBool)
                .Infer(&InferArithmetic)
                .status()
                .code(),
            kUnimplemented);
}

TEST(ShapeInferenceTest, GemmGivesRowsOfOutputs) {
  InferenceRun plain = GemmRun(0, 0);
  EXPECT_EQ(plain.Batched({4}).Constant({4, 3}).InferShape(&InferGemm),
            (Shape{-1, 3}));
  InferenceRun transposed = GemmRun(0, 1);
  EXPECT_EQ(transposed.Batched({4}).Constant({3, 4}).InferShape(&InferGemm),
            (Shape{-1, 3}));
  InferenceRun constants = GemmRun(1, 0);
  EXPECT_EQ(constants.Constant({4, 2}).Constant({4, 3}).InferShape(&InferGemm),
            (Shape{2, 3}));
}

TEST(ShapeInferenceTest, GemmTakesEveryBiasThatBroadcasts) {
  for (const Shape& bias :
       {Shape{}, Shape{1}, Shape{3}, Shape{1, 1}, Shape{1, 3}}) {
    InferenceRun run = GemmRun(0, 0);
    EXPECT_EQ(
        run.Batched({4}).Constant({4, 3}).Constant(bias).InferShape(&InferGemm),
        (Shape{-1, 3}))
        << ShapeText(bias);
  }
  InferenceRun none = GemmRun(0, 0);
  EXPECT_EQ(none.Batched({4}).Constant({4, 3}).LeftOut().InferShape(&InferGemm),
            (Shape{-1, 3}));
}

TEST(ShapeInferenceTest, GemmRefusesBiasThatDoesNotBroadcast) {
  for (const Shape& bias : {Shape{4}, Shape{1, 1, 3}}) {
    InferenceRun run = GemmRun(0, 0);
    EXPECT_EQ(run.Batched({4})
                  .Constant({4, 3})
                  .Constant(bias)
                  .Infer(&InferGemm)
                  .status()
                  .code(),
              kInvalid);
  }
}

TEST(ShapeInferenceTest, GemmTakesBiasThatIsComputedButNotOneByRow) {
  InferenceRun computed = GemmRun(0, 0);
  EXPECT_EQ(computed.Batched({4}).Constant({4, 3}).Batched({3}).InferShape(
                &InferGemm),
            (Shape{-1, 3}));
  InferenceRun by_row = GemmRun(0, 0);
  EXPECT_THAT(by_row.Batched({4})
                  .Constant({4, 3})
                  .Constant({2, 3})
                  .Infer(&InferGemm)
                  .status(),
              Fails(kUnimplemented, "the batch meets a fixed size"));
}

TEST(ShapeInferenceTest, GemmRefusesWhenSizesDoNotMultiply) {
  InferenceRun sizes = GemmRun(0, 0);
  EXPECT_THAT(sizes.Batched({4}).Constant({3, 4}).Infer(&InferGemm).status(),
              Fails(kInvalid, "wanted 4 rows of weights"));
  InferenceRun ranks = GemmRun(0, 0);
  EXPECT_THAT(ranks.Batched({2, 4}).Constant({4, 3}).Infer(&InferGemm).status(),
              Fails(kInvalid, "wanted two matrices"));
}

TEST(ShapeInferenceTest, GemmTakesWeightsOnTheLeft) {
  InferenceRun left = GemmRun(0, 1);
  EXPECT_EQ(left.Constant({3, 4}).Batched({4}).InferShape(&InferGemm),
            (Shape{3, -1}));
}

TEST(ShapeInferenceTest, GemmOfIntegersIsNotScaled) {
  for (const float alpha : {1.0F, 2.0F}) {
    InferenceRun run = GemmRun(0, 0);
    run.node.attributes["alpha"] = alpha;
    EXPECT_EQ(run.Batched({4}, DataType::kInt32)
                  .Constant({4, 3}, DataType::kInt32)
                  .Infer(&InferGemm)
                  .ok(),
              alpha == 1.0F);
  }
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
}

TEST(ShapeInferenceTest, MatMulBroadcastsStacks) {
  InferenceRun stack(Operator::kMatMul);
  EXPECT_EQ(stack.Batched({4}).Constant({2, 4, 3}).InferShape(&InferMatMul),
            (Shape{2, -1, 3}));
  InferenceRun rows(Operator::kMatMul);
  EXPECT_EQ(rows.Batched({2, 4}).Batched({4, 3}).InferShape(&InferMatMul),
            (Shape{-1, 2, 3}));
}

TEST(ShapeInferenceTest, ClipMakesConstantBoundsAttributes) {
  InferenceRun run(Operator::kClip, {{"max", 1.0F}, {"min", 0.0F}});
  run.Batched({4}).LeftOut().Constant(FloatTensor({}, {6}));
  EXPECT_EQ(run.InferShape(&InferClip), (Shape{-1, 4}));
  EXPECT_EQ(FloatAttribute(run.node, "max"), 6);
  EXPECT_EQ(FloatAttribute(run.node, "min"),
            -std::numeric_limits<float>::infinity());
  EXPECT_EQ(run.node.inputs[2], kNoValue);
}

// What plans compute is float32, and so are its bounds.
TEST(ShapeInferenceTest, ClipRoundsBoundsOfDoubles) {
  const auto constant = [](double value) {
    Tensor tensor(DataType::kFp64, {});
    tensor.As<double>()[0] = value;
    return tensor;
  };
  InferenceRun run(Operator::kClip, {{"max", 1.0F}, {"min", 0.0F}});
  run.Batched({4}, DataType::kFp64)
      .Constant(constant(-100.1))
      .Constant(constant(1e300));
  EXPECT_EQ(run.InferShape(&InferClip), (Shape{-1, 4}));
  EXPECT_EQ(FloatAttribute(run.node, "min"), -100.1F);
  EXPECT_EQ(FloatAttribute(run.node, "max"),
            std::numeric_limits<float>::infinity());
  EXPECT_EQ(run.node.inputs[1], kNoValue);
}

TEST(ShapeInferenceTest, ClipRefusesManyBounds) {
  InferenceRun run(Operator::kClip, {{"max", 1.0F}, {"min", 0.0F}});
  EXPECT_THAT(run.Batched({4}).Constant({4}).Infer(&InferClip).status(),
              Fails(kInvalid, "wanted one bound"));
}

TEST(ShapeInferenceTest, ComparisonAndLogicGiveBooleans) {
  InferenceRun less(Operator::kLess);
  const auto type = less.Batched({4}).Constant({4}).Infer(&InferComparison);
  ASSERT_TRUE(type.ok()) << type.status();
  EXPECT_EQ(type->type, DataType::kBool);
  InferenceRun logic(Operator::kAnd);
  EXPECT_THAT(logic.Batched({4}).Constant({4}).Infer(&InferLogic).status(),
              Fails(kInvalid, "wanted BOOL"));
}

TEST(ShapeInferenceTest, WhereWantsConditionAndOneType) {
  InferenceRun run(Operator::kWhere);
  EXPECT_EQ(run.Batched({4}, DataType::kBool)
                .Batched({1})
                .Constant({4})
                .InferShape(&InferWhere),
            (Shape{-1, 4}));
  InferenceRun types(Operator::kWhere);
  EXPECT_THAT(types.Batched({4}, DataType::kBool)
                  .Batched({4})
                  .Constant({4}, DataType::kInt32)
                  .Infer(&InferWhere)
                  .status(),
              Fails(kInvalid, "wanted one type"));
}

TEST(ShapeInferenceTest, PReluKeepsTheShapeOfItsInput) {
  InferenceRun run(Operator::kPRelu);
  EXPECT_EQ(run.Batched({4}).Constant({4}).InferShape(&InferPRelu),
            (Shape{-1, 4}));
  InferenceRun wide(Operator::kPRelu);
  EXPECT_THAT(wide.Batched({1}).Constant({4}).Infer(&InferPRelu).status(),
              Fails(kInvalid, "broadcasts to [-1,1]"));
}

TEST(ShapeInferenceTest, PReluOfOldOpsetsHasOneSlope) {
  InferenceRun one(Operator::kPRelu);
  one.opset = 6;
  EXPECT_EQ(one.Batched({4}).Constant({1}).InferShape(&InferPRelu),
            (Shape{-1, 4}));
  InferenceRun channels(Operator::kPRelu);
  channels.opset = 6;
  EXPECT_THAT(
      channels.Batched({2, 2}).Constant({2}).Infer(&InferPRelu).status(),
      Fails(kUnimplemented, "export with opset 7"));
}

TEST(ShapeInferenceTest, GeluRefusesUnknownForms) {
  InferenceRun run(Operator::kGelu, {{"approximate", std::string("fast")}});
  EXPECT_THAT(run.Batched({4}).Infer(&InferGelu).status(),
              Fails(kInvalid, "\"fast\""));
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
