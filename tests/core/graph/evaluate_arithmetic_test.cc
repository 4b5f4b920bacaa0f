#include "core/graph/evaluate_arithmetic.h"

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

using ::testing::ElementsAre;

TEST(EvaluateArithmeticTest, ArithmeticBroadcastsFloats) {
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

TEST(EvaluateArithmeticTest, ArithmeticIsExactAndWrapsForIntegers) {
  const std::int64_t big = std::numeric_limits<std::int64_t>::max();
  const Tensor a = Int64Tensor({2}, {big, big - 1});
  const Tensor one = Int64Tensor({}, {1});
  const auto sum = EvaluateOne(MakeNode(Operator::kAdd),
                               {DataType::kInt64, {2}}, {{&a, &one}});
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_THAT(sum->As<std::int64_t>(),
              ElementsAre(std::numeric_limits<std::int64_t>::min(), big));
}

TEST(EvaluateArithmeticTest, DivisionOfIntegersGoesTowardsZero) {
  const Tensor a =
      Int64Tensor({3}, {-7, 7, std::numeric_limits<std::int64_t>::min()});
  const Tensor b = Int64Tensor({3}, {2, -2, -1});
  const auto result = EvaluateOne(MakeNode(Operator::kDiv),
                                  {DataType::kInt64, {3}}, {{&a, &b}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->As<std::int64_t>(),
              ElementsAre(-3, -3, std::numeric_limits<std::int64_t>::min()));
}

TEST(EvaluateArithmeticTest, DivisionFailsWhenIntegerIsDividedByZero) {
  const Tensor a = Int64Tensor({1}, {1});
  const Tensor zero = Int64Tensor({1}, {0});
  EXPECT_THAT(EvaluateOne(MakeNode(Operator::kDiv), {DataType::kInt64, {1}},
                          {{&a, &zero}})
                  .status(),
              Fails(kInvalid, "node \"n\" (Div): an integer is divided by"));
}

TEST(EvaluateArithmeticTest, MaxAndMinTakeNan) {
  const Tensor a = FloatTensor({3}, {NAN, 1, 2});
  const Tensor b = FloatTensor({3}, {1, NAN, 3});
  for (const Operator op : {Operator::kMax, Operator::kMin}) {
    const auto y = Evaluate(MakeNode(op), {DataType::kFp32, {3}}, {&a, &b});
    EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
    EXPECT_EQ(y[2], op == Operator::kMax ? 3 : 2);
  }
}

TEST(EvaluateArithmeticTest, UnsignedIntegersCompareAndDivideAsSuch) {
  const Tensor a = FromIntegers(DataType::kUint64, {1},
                                std::vector<std::int64_t>{-2});  // 2^64 - 2
  const Tensor b =
      FromIntegers(DataType::kUint64, {1}, std::vector<std::int64_t>{2});
  const Tensor* const inputs[] = {&a, &b};
  const ValueType type{DataType::kUint64, {1}};
  const auto quotient = EvaluateOne(MakeNode(Operator::kDiv), type, inputs);
  EXPECT_EQ(ToIntegers(*quotient)[0], std::numeric_limits<std::int64_t>::max());
  const auto greater =
      EvaluateOne(MakeNode(Operator::kGreater), {DataType::kBool, {1}}, inputs);
  EXPECT_EQ(ToIntegers(*greater)[0], 1);
}

TEST(EvaluateArithmeticTest, PowersOfIntegersAreExact) {
  const Tensor base = Int64Tensor({5}, {3, -2, 2, -1, 1});
  const Tensor exponent = Int64Tensor({5}, {39, 3, -1, -3, -7});
  const Tensor* const inputs[] = {&base, &exponent};
  const auto y =
      EvaluateOne(MakeNode(Operator::kPow), {DataType::kInt64, {5}}, inputs);
  EXPECT_THAT(ToIntegers(*y), ElementsAre(4052555153018976267, -8, 0, -1, 1));
}

TEST(EvaluateArithmeticTest, ComparisonsWithNanAreFalse) {
  const Tensor nan = FloatTensor({1}, {NAN});
  for (const Operator op :
       {Operator::kEqual, Operator::kGreater, Operator::kGreaterOrEqual,
        Operator::kLess, Operator::kLessOrEqual}) {
    EXPECT_THAT(Evaluate(MakeNode(op), {DataType::kBool, {1}}, {&nan, &nan}),
                ElementsAre(0));
  }
}

TEST(EvaluateArithmeticTest, WhereBroadcastsAllThree) {
  Tensor condition(DataType::kBool, {2, 1});
  condition.As<std::uint8_t>()[0] = 1;
  const Tensor a = FloatTensor({2}, {1, 2});
  const Tensor b = FloatTensor({}, {9});
  EXPECT_THAT(Evaluate(MakeNode(Operator::kWhere), {DataType::kFp32, {2, 2}},
                       {&condition, &a, &b}),
              ElementsAre(1, 2, 9, 9));
}

TEST(EvaluateArithmeticTest, MeanOfIntegersGoesTowardsZero) {
  const Tensor a = Int64Tensor({1}, {-4});
  const Tensor b = Int64Tensor({1}, {1});
  EXPECT_THAT(
      Evaluate(MakeNode(Operator::kMean), {DataType::kInt64, {1}}, {&a, &b}),
      ElementsAre(-1));
}

TEST(EvaluateArithmeticTest, PReluSlopesNegativesAlone) {
  const Tensor x = FloatTensor({2, 2}, {-1, -1, 3, 0});
  const Tensor slope = FloatTensor({2}, {2, 4});
  EXPECT_THAT(Evaluate(MakeNode(Operator::kPRelu), {DataType::kFp32, {2, 2}},
                       {&x, &slope}),
              ElementsAre(-2, -4, 3, 0));
}

}  // namespace
}  // namespace relu
