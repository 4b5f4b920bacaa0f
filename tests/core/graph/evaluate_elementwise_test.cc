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

// The results for one float each.
std::vector<double> Apply(const Node& node, const std::vector<float>& values) {
  const auto size = static_cast<std::int64_t>(values.size());
  const Tensor x = FloatTensor({size}, values);
  return Evaluate(node, {DataType::kFp32, {size}}, {&x});
}

void ExpectNear(const std::vector<double>& found,
                const std::vector<double>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], wanted[i], 1e-6 * (1 + std::abs(wanted[i]))) << i;
  }
}

TEST(EvaluateElementwiseTest, NewActivationsAgreeWithTheirDefinitions) {
  const std::vector<float> x{-1, 0, 2};
  const std::string none = "none";
  const std::string tanh = "tanh";
  // By hand, with erf and tanh of tables.
  ExpectNear(Apply(MakeNode(Operator::kGelu, {{"approximate", none}}), x),
             {-0.15865525, 0, 1.95449974});
  ExpectNear(Apply(MakeNode(Operator::kGelu, {{"approximate", tanh}}), x),
             {-0.15880801, 0, 1.95459769});
  ExpectNear(Apply(MakeNode(Operator::kMish), x), {-0.30340146, 0, 1.94395896});
  ExpectNear(Apply(MakeNode(Operator::kSwish, {{"alpha", 1.0F}}), x),
             {-0.26894142, 0, 1.76159416});
}

TEST(EvaluateElementwiseTest, FunctionsDoNotOverflowOnTheWay) {
  ExpectNear(Apply(MakeNode(Operator::kSoftplus), {-1000, 1000}), {0, 1000});
  ExpectNear(Apply(MakeNode(Operator::kMish), {-1000, 1000}), {0, 1000});
  ExpectNear(Apply(MakeNode(Operator::kElu, {{"alpha", 2.0F}}), {-1000, 1000}),
             {-2, 1000});
}

TEST(EvaluateElementwiseTest, NanStaysNan) {
  const Attributes attributes = {
      {"alpha", 1.0F}, {"beta", 1.0F},
      {"gamma", 1.0F}, {"approximate", std::string("none")},
      {"max", 1.0F},   {"min", 0.0F}};
  for (const Operator op : {Operator::kAbs,
                            Operator::kCeil,
                            Operator::kCelu,
                            Operator::kClip,
                            Operator::kElu,
                            Operator::kErf,
                            Operator::kExp,
                            Operator::kFloor,
                            Operator::kGelu,
                            Operator::kHardSigmoid,
                            Operator::kHardSwish,
                            Operator::kLeakyRelu,
                            Operator::kLog,
                            Operator::kMish,
                            Operator::kNeg,
                            Operator::kReciprocal,
                            Operator::kRelu,
                            Operator::kRound,
                            Operator::kSelu,
                            Operator::kSigmoid,
                            Operator::kSign,
                            Operator::kSoftplus,
                            Operator::kSoftsign,
                            Operator::kSqrt,
                            Operator::kSwish,
                            Operator::kTanh,
                            Operator::kThresholdedRelu}) {
    EXPECT_TRUE(std::isnan(Apply(MakeNode(op, attributes), {NAN})[0]))
        << OperatorName(op);
  }
}

TEST(EvaluateElementwiseTest, HalvesRoundToEven) {
  EXPECT_THAT(Apply(MakeNode(Operator::kRound), {0.5, 1.5, 2.5, -0.5, -1.5}),
              ElementsAre(0, 2, 2, 0, -2));
}

TEST(EvaluateElementwiseTest, IntegersAreExact) {
  const std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  const Tensor x = Int64Tensor({3}, {lowest, -5, 7});
  const ValueType type{DataType::kInt64, {3}};
  const auto run = [&](Operator op) {
    const Tensor* const inputs[] = {&x};
    return ToIntegers(*EvaluateOne(MakeNode(op), type, inputs));
  };
  EXPECT_THAT(run(Operator::kAbs), ElementsAre(lowest, 5, 7));
  EXPECT_THAT(run(Operator::kNeg), ElementsAre(lowest, 5, -7));
  EXPECT_THAT(run(Operator::kRelu), ElementsAre(0, 0, 7));
  EXPECT_THAT(run(Operator::kSign), ElementsAre(-1, -1, 1));
}

TEST(EvaluateElementwiseTest, ClipTakesUpperBoundWhereBoundsCross) {
  const Node node = MakeNode(Operator::kClip, {{"max", 1.0F}, {"min", 2.0F}});
  EXPECT_THAT(Apply(node, {0, 1.5, 3}), ElementsAre(1, 1, 1));
}

TEST(EvaluateElementwiseTest, ClipOfIntegersHasBoundsAsInputs) {
  const Tensor x = Int64Tensor({3}, {-9, 0, 9});
  const Tensor high = Int64Tensor({}, {4});
  const Tensor* const inputs[] = {&x, nullptr, &high};
  const auto y =
      EvaluateOne(MakeNode(Operator::kClip), {DataType::kInt64, {3}}, inputs);
  ASSERT_TRUE(y.ok()) << y.status();
  EXPECT_THAT(ToIntegers(*y), ElementsAre(-9, 0, 4));
}

}  // namespace
}  // namespace relu
