#include "core/graph/evaluate_quantization.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/elements.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

Node WithAxis(Operator op) { return MakeNode(op, {{"axis", std::int64_t{1}}}); }

std::vector<double> Quantized(const Tensor& x, const Tensor& scale,
                              DataType type) {
  const Tensor zero(type, scale.shape());
  const Tensor* const inputs[] = {&x, &scale, &zero};
  const auto y = EvaluateOne(WithAxis(Operator::kQuantizeLinear),
                             {type, x.shape()}, inputs);
  EXPECT_TRUE(y.ok()) << y.status();
  return ToDoubles(*y);
}

TEST(EvaluateQuantizationTest, HalvesGoToEvenAndRangesSaturate) {
  const Tensor x = FloatTensor({6}, {0.5, 1.5, 2.5, -0.5, 400, -400});
  const Tensor one = FloatTensor({}, {1});
  EXPECT_THAT(Quantized(x, one, DataType::kUint8),
              ElementsAre(0, 2, 2, 0, 255, 0));
  EXPECT_THAT(Quantized(x, one, DataType::kInt8),
              ElementsAre(0, 2, 2, 0, 127, -128));
}

TEST(EvaluateQuantizationTest, ScalesGoAlongTheAxis) {
  const Tensor x = FloatTensor({2, 2}, {4, 4, 8, 8});
  const Tensor scale = FloatTensor({2}, {2, 4});
  EXPECT_THAT(Quantized(x, scale, DataType::kUint8), ElementsAre(2, 1, 4, 2));
}

TEST(EvaluateQuantizationTest, DequantizeIsTheInverse) {
  const Tensor x =
      FromIntegers(DataType::kUint8, {1, 2}, std::vector<std::int64_t>{130, 0});
  const Tensor scale = FloatTensor({2}, {0.5, 2});
  const Tensor zero =
      FromIntegers(DataType::kUint8, {2}, std::vector<std::int64_t>{128, 3});
  const Tensor* const inputs[] = {&x, &scale, &zero};
  const auto y = EvaluateOne(WithAxis(Operator::kDequantizeLinear),
                             {DataType::kFp32, {1, 2}}, inputs);
  ASSERT_TRUE(y.ok()) << y.status();
  EXPECT_THAT(y->As<float>(), ElementsAre(1, -6));
}

TEST(EvaluateQuantizationTest, DynamicQuantizationOfZerosIsZero) {
  const Tensor x = FloatTensor({2}, {0, 0});
  const Tensor* const inputs[] = {&x};
  const ValueType results[] = {
      {DataType::kUint8, {2}}, {DataType::kFp32, {}}, {DataType::kUint8, {}}};
  const auto outputs =
      EvaluateNode(MakeNode(Operator::kDynamicQuantizeLinear), results, inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT((*outputs)[0].As<std::uint8_t>(), ElementsAre(0, 0));
  EXPECT_THAT((*outputs)[1].As<float>(), ElementsAre(1));
}

}  // namespace
}  // namespace relu
