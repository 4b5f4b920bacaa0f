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

// The node's value as doubles; empty, with a failure, if there is none.
std::vector<double> Evaluate(const Node& node, const ValueType& result,
                             const std::vector<const Tensor*>& inputs) {
  const absl::StatusOr<Tensor> value = EvaluateOne(node, result, inputs);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? ToDoubles(*value) : std::vector<double>();
}

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

}  // namespace
}  // namespace relu
