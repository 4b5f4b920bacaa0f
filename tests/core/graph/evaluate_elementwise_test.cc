#include "core/graph/evaluate_elementwise.h"

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

TEST(EvaluateElementwiseTest, ReluTakesNegativesOffAndKeepsNan) {
  const Tensor x = FloatTensor({3}, {-2, 3, NAN});
  const auto y =
      Evaluate(MakeNode(Operator::kRelu), {DataType::kFp32, {3}}, {&x});
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], 3);
  EXPECT_TRUE(std::isnan(y[2]));
}

TEST(EvaluateElementwiseTest, SigmoidAndTanhSaturateWhenInputIsLarge) {
  const Tensor x = FloatTensor({3}, {-1000, 0, 1000});
  EXPECT_THAT(
      Evaluate(MakeNode(Operator::kSigmoid), {DataType::kFp32, {3}}, {&x}),
      ElementsAre(0, 0.5, 1));
  EXPECT_THAT(Evaluate(MakeNode(Operator::kTanh), {DataType::kFp32, {3}}, {&x}),
              ElementsAre(-1, 0, 1));
}

TEST(EvaluateElementwiseTest, CastRoundsTowardsZeroAndWrapsIntegers) {
  const Tensor x = FloatTensor({2}, {-1.5F, 2.9F});
  EXPECT_THAT(
      Evaluate(MakeNode(Operator::kCast), {DataType::kInt32, {2}}, {&x}),
      ElementsAre(-1, 2));
  const Tensor i = Int64Tensor({1}, {(std::int64_t{1} << 32) + 5});
  EXPECT_THAT(
      Evaluate(MakeNode(Operator::kCast), {DataType::kInt32, {1}}, {&i}),
      ElementsAre(5));
}

TEST(EvaluateElementwiseTest, ResultIsRoundedToHalfWhenTypeIsHalf) {
  const std::vector<double> values = {1, 2049};
  const Tensor x = FromDoubles(DataType::kFp16, {2}, values);
  EXPECT_THAT(
      Evaluate(MakeNode(Operator::kAdd), {DataType::kFp16, {2}}, {&x, &x}),
      ElementsAre(2, 4096));
}

}  // namespace
}  // namespace relu
