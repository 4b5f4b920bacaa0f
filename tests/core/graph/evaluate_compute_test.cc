#include "core/graph/evaluate_compute.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/elements.h"
#include "core/graph/interpreter.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

// The node's value as doubles; empty, with a failure, if there is none.
std::vector<double> Evaluate(const Node& node, const ValueType& result,
                             const std::vector<const Tensor*>& inputs) {
  const absl::StatusOr<Tensor> value = EvaluateOne(node, result, inputs);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? ToDoubles(*value) : std::vector<double>();
}

Node Gemm(float alpha, float beta, int trans_a, int trans_b) {
  return MakeNode(Operator::kGemm, {{"alpha", alpha},
                                    {"beta", beta},
                                    {"transA", std::int64_t{trans_a}},
                                    {"transB", std::int64_t{trans_b}}});
}

Node Softmax(std::int64_t axis, std::int64_t flatten) {
  return MakeNode(Operator::kSoftmax, {{"axis", axis}, {"flatten", flatten}});
}

Node ArgMax(std::int64_t axis, std::int64_t select_last) {
  return MakeNode(Operator::kArgMax,
                  {{"axis", axis}, {"select_last_index", select_last}});
}

TEST(EvaluateComputeTest, ReluTakesNegativesOffAndKeepsNan) {
  const Tensor x = FloatTensor({3}, {-2, 3, NAN});
  const auto y =
      Evaluate(MakeNode(Operator::kRelu), {DataType::kFp32, {3}}, {&x});
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], 3);
  EXPECT_TRUE(std::isnan(y[2]));
}

TEST(EvaluateComputeTest, SigmoidAndTanhSaturateWhenInputIsLarge) {
  const Tensor x = FloatTensor({3}, {-1000, 0, 1000});
  EXPECT_THAT(
      Evaluate(MakeNode(Operator::kSigmoid), {DataType::kFp32, {3}}, {&x}),
      ElementsAre(0, 0.5, 1));
  EXPECT_THAT(Evaluate(MakeNode(Operator::kTanh), {DataType::kFp32, {3}}, {&x}),
              ElementsAre(-1, 0, 1));
}

TEST(EvaluateComputeTest, ArithmeticBroadcastsFloats) {
  const Tensor a = FloatTensor({2, 2}, {1, 2, 3, 4});
  const Tensor b = FloatTensor({2}, {2, 4});
  const ValueType result{DataType::kFp32, {2, 2}};
  EXPECT_THAT(Evaluate(MakeNode(Operator::kAdd), result, {&a, &b}),
              ElementsAre(3, 6, 5, 8));
  EXPECT_THAT(Evaluate(MakeNode(Operator::kSub), result, {&a, &b}),
              ElementsAre(-1, -2, 1, 0));
  EXPECT_THAT(Evaluate(MakeNode(Operator::kMul), result, {&a, &b}),
              ElementsAre(2, 8, 6, 16));
  EXPECT_THAT(Evaluate(MakeNode(Operator::kDiv), result, {&a, &b}),
              ElementsAre(0.5, 0.5, 1.5, 1));
}

TEST(EvaluateComputeTest, ArithmeticIsExactAndWrapsForIntegers) {
  const std::int64_t big = std::numeric_limits<std::int64_t>::max();
  const Tensor a = Int64Tensor({2}, {big, big - 1});
  const Tensor one = Int64Tensor({}, {1});
  const auto sum = EvaluateOne(MakeNode(Operator::kAdd),
                               {DataType::kInt64, {2}}, {{&a, &one}});
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_THAT(sum->As<std::int64_t>(),
              ElementsAre(std::numeric_limits<std::int64_t>::min(), big));
}

TEST(EvaluateComputeTest, DivisionOfIntegersGoesTowardsZero) {
  const Tensor a =
      Int64Tensor({3}, {-7, 7, std::numeric_limits<std::int64_t>::min()});
  const Tensor b = Int64Tensor({3}, {2, -2, -1});
  const auto result = EvaluateOne(MakeNode(Operator::kDiv),
                                  {DataType::kInt64, {3}}, {{&a, &b}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->As<std::int64_t>(),
              ElementsAre(-3, -3, std::numeric_limits<std::int64_t>::min()));
}

TEST(EvaluateComputeTest, DivisionFailsWhenIntegerIsDividedByZero) {
  const Tensor a = Int64Tensor({1}, {1});
  const Tensor zero = Int64Tensor({1}, {0});
  EXPECT_THAT(EvaluateOne(MakeNode(Operator::kDiv), {DataType::kInt64, {1}},
                          {{&a, &zero}})
                  .status(),
              Fails(kInvalid, "node \"n\" (Div): an integer is divided by"));
}

TEST(EvaluateComputeTest, CastRoundsTowardsZeroAndWrapsIntegers) {
  const Tensor x = FloatTensor({2}, {-1.5F, 2.9F});
  EXPECT_THAT(
      Evaluate(MakeNode(Operator::kCast), {DataType::kInt32, {2}}, {&x}),
      ElementsAre(-1, 2));
  const Tensor i = Int64Tensor({1}, {(std::int64_t{1} << 32) + 5});
  EXPECT_THAT(
      Evaluate(MakeNode(Operator::kCast), {DataType::kInt32, {1}}, {&i}),
      ElementsAre(5));
}

TEST(EvaluateComputeTest, GemmMultipliesForEveryTransposition) {
  // [1 2; 3 4] times [5 6; 7 8].
  const Tensor a = FloatTensor({2, 2}, {1, 2, 3, 4});
  const Tensor at = FloatTensor({2, 2}, {1, 3, 2, 4});
  const Tensor b = FloatTensor({2, 2}, {5, 6, 7, 8});
  const Tensor bt = FloatTensor({2, 2}, {5, 7, 6, 8});
  const ValueType result{DataType::kFp32, {2, 2}};
  const auto product = ElementsAre(19, 22, 43, 50);
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 0), result, {&a, &b}), product);
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 1), result, {&a, &bt}), product);
  EXPECT_THAT(Evaluate(Gemm(1, 1, 1, 0), result, {&at, &b}), product);
  EXPECT_THAT(Evaluate(Gemm(1, 1, 1, 1), result, {&at, &bt}), product);
}

TEST(EvaluateComputeTest, GemmScalesAndBroadcastsBias) {
  const Tensor a = FloatTensor({2, 1}, {1, 2});
  const Tensor b = FloatTensor({1, 2}, {10, 20});
  const ValueType result{DataType::kFp32, {2, 2}};
  const Tensor scalar = FloatTensor({}, {1});
  EXPECT_THAT(Evaluate(Gemm(2, 3, 0, 0), result, {&a, &b, &scalar}),
              ElementsAre(23, 43, 43, 83));
  const Tensor row = FloatTensor({2}, {1, 2});
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 0), result, {&a, &b, &row}),
              ElementsAre(11, 22, 21, 42));
  const Tensor column = FloatTensor({2, 1}, {1, 2});
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 0), result, {&a, &b, &column}),
              ElementsAre(11, 21, 22, 42));
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 0), result, {&a, &b, nullptr}),
              ElementsAre(10, 20, 20, 40));
}

TEST(EvaluateComputeTest, GemmSumsInDouble) {
  const Tensor a = FloatTensor({1, 3}, {1e8F, 1, -1e8F});
  const Tensor b = FloatTensor({3, 1}, {1, 1, 1});
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 0), {DataType::kFp32, {1, 1}}, {&a, &b}),
              ElementsAre(1));
}

TEST(EvaluateComputeTest, MatMulTakesMatricesAndVectorsOnTheRight) {
  const Tensor a = FloatTensor({2, 1, 2}, {1, 2, 3, 4});
  const Tensor b = FloatTensor({2, 1}, {1, 10});
  EXPECT_THAT(Evaluate(MakeNode(Operator::kMatMul),
                       {DataType::kFp32, {2, 1, 1}}, {&a, &b}),
              ElementsAre(21, 43));
  const Tensor v = FloatTensor({2}, {1, 10});
  EXPECT_THAT(Evaluate(MakeNode(Operator::kMatMul), {DataType::kFp32, {2, 1}},
                       {&a, &v}),
              ElementsAre(21, 43));
}

TEST(EvaluateComputeTest, SoftmaxDoesNotOverflowWhenInputIsLarge) {
  const Tensor x = FloatTensor({1, 2}, {1000, 0});
  EXPECT_THAT(Evaluate(Softmax(1, 0), {DataType::kFp32, {1, 2}}, {&x}),
              ElementsAre(1, 0));
}

TEST(EvaluateComputeTest, SoftmaxGoesAlongOneAxisOrAllFromIt) {
  const Tensor x(DataType::kFp32, {1, 2, 2});
  const ValueType result{DataType::kFp32, {1, 2, 2}};
  EXPECT_THAT(Evaluate(Softmax(1, 0), result, {&x}),
              ElementsAre(0.5, 0.5, 0.5, 0.5));
  EXPECT_THAT(Evaluate(Softmax(1, 1), result, {&x}),
              ElementsAre(0.25, 0.25, 0.25, 0.25));
}

TEST(EvaluateComputeTest, SoftmaxSumsToOneForEachLine) {
  const Tensor x = FloatTensor({1, 2, 2}, {0, 1, 2, 3});
  const auto y = Evaluate(Softmax(1, 0), {DataType::kFp64, {1, 2, 2}}, {&x});
  EXPECT_THAT(y[0] + y[2], DoubleNear(1, 1e-15));
  EXPECT_THAT(y[2], DoubleNear(1 / (1 + std::exp(-2.0)), 1e-15));
}

TEST(EvaluateComputeTest, ArgMaxTakesFirstOrLastOfEquals) {
  const Tensor x = FloatTensor({1, 4}, {1, 5, 5, 2});
  EXPECT_THAT(Evaluate(ArgMax(1, 0), {DataType::kInt64, {1}}, {&x}),
              ElementsAre(1));
  EXPECT_THAT(Evaluate(ArgMax(1, 1), {DataType::kInt64, {1}}, {&x}),
              ElementsAre(2));
}

TEST(EvaluateComputeTest, ArgMaxTakesNanForTheGreatest) {
  const Tensor x = FloatTensor({1, 4}, {1, NAN, NAN, 9});
  EXPECT_THAT(Evaluate(ArgMax(1, 0), {DataType::kInt64, {1}}, {&x}),
              ElementsAre(1));
  EXPECT_THAT(Evaluate(ArgMax(1, 1), {DataType::kInt64, {1}}, {&x}),
              ElementsAre(2));
}

TEST(EvaluateComputeTest, ArgMaxIsExactForLargeIntegers) {
  const std::int64_t big = std::int64_t{1} << 60;
  const Tensor x = Int64Tensor({1, 2}, {big, big + 1});
  EXPECT_THAT(Evaluate(ArgMax(1, 0), {DataType::kInt64, {1}}, {&x}),
              ElementsAre(1));
  Tensor u(DataType::kUint64, {1, 2});
  u.As<std::uint64_t>()[0] = 1;
  u.As<std::uint64_t>()[1] = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THAT(Evaluate(ArgMax(1, 0), {DataType::kInt64, {1}}, {&u}),
              ElementsAre(1));
}

TEST(EvaluateComputeTest, ResultIsRoundedToHalfWhenTypeIsHalf) {
  const std::vector<double> values = {1, 2049};
  const Tensor x = FromDoubles(DataType::kFp16, {2}, values);
  EXPECT_THAT(
      Evaluate(MakeNode(Operator::kAdd), {DataType::kFp16, {2}}, {&x, &x}),
      ElementsAre(2, 4096));
}

}  // namespace
}  // namespace relu
