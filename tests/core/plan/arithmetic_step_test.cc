#include "core/plan/arithmetic_step.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PlanRun RunBinary(Operator op, Tensor a, Tensor b) {
  GraphBuilder builder;
  const ValueId x = builder.Input("a", {a.shape()[1]}, a.type());
  const ValueId y = builder.Input("b", {b.shape()[1]}, b.type());
  builder.Output(builder.Binary(op, x, y));
  return RunPlan(CompileOrDie(builder.Build()),
                 TwoTensors(std::move(a), std::move(b)));
}

Tensor Int32Tensor(Shape shape, const std::vector<std::int32_t>& elements) {
  Tensor tensor(DataType::kInt32, std::move(shape));
  std::ranges::copy(elements, tensor.As<std::int32_t>().begin());
  return tensor;
}

TEST(ArithmeticStepTest, FloatsAreComputedElementByElement) {
  const auto run = [](Operator op) {
    return RunBinary(op, FloatTensor({2, 2}, {1, 2, 3, 4}),
                     FloatTensor({2, 2}, {4, 5, 0, 8}));
  };
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(run(Operator::kAdd).outputs[0].As<float>(),
              ElementsAre(5, 7, 3, 12));
  EXPECT_THAT(run(Operator::kSub).outputs[0].As<float>(),
              ElementsAre(-3, -3, 3, -4));
  EXPECT_THAT(run(Operator::kMul).outputs[0].As<float>(),
              ElementsAre(4, 10, 0, 32));
  const PlanRun quotient = run(Operator::kDiv);
  EXPECT_THAT(quotient.outputs[0].As<float>(),
              ElementsAre(0.25F, 0.4F, infinity, 0.5F));
  EXPECT_EQ(quotient.fault, std::nullopt);
}

TEST(ArithmeticStepTest, IntegersWrapAround) {
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
  constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
  const auto run = [](Operator op, std::int32_t a, std::int32_t b) {
    return RunBinary(op, Int32Tensor({1, 1}, {a}), Int32Tensor({1, 1}, {b}))
        .outputs[0]
        .As<std::int32_t>()[0];
  };
  EXPECT_EQ(run(Operator::kAdd, kMax, 1), kMin);
  EXPECT_EQ(run(Operator::kSub, kMin, 1), kMax);
  EXPECT_EQ(run(Operator::kMul, kMax, 2), -2);
  EXPECT_EQ(run(Operator::kDiv, kMin, -1), kMin);
  EXPECT_EQ(run(Operator::kDiv, -7, 2), -3);
}

TEST(ArithmeticStepTest, IntegerDividedByZeroIsZeroAndFaultsItsRowAlone) {
  GraphBuilder builder;
  const ValueId x = builder.Input("a", {1}, DataType::kInt64);
  const ValueId y = builder.Input("b", {1}, DataType::kInt64);
  builder.Output(builder.Binary(Operator::kDiv, x, y));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run =
      RunPlan(model, TwoTensors(Int64Tensor({3, 1}, {6, 7, 8}),
                                Int64Tensor({3, 1}, {3, 0, 2})));
  EXPECT_THAT(run.outputs[0].As<std::int64_t>(), ElementsAre(2, 0, 4));
  ASSERT_TRUE(run.fault.has_value());
  EXPECT_THAT(*run.fault, HasSubstr("row 1: "));
  EXPECT_THAT(*run.fault, HasSubstr("node_0"));
}

TEST(ArithmeticStepTest, ConstantsAreBroadcastToEachRow) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 2});
  const ValueId scalar = builder.Constant(FloatTensor({}, {10}));
  const ValueId column = builder.Constant(FloatTensor({2, 1}, {1, 2}));
  builder.Output(builder.Binary(
      Operator::kMul, builder.Binary(Operator::kSub, x, scalar), column));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({1, 2, 2}, {10, 11, 12, 13})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(0, 1, 4, 6));
  EXPECT_EQ(model.Describe(),
            "subtract 4, with a constant\nmultiply 4, with a constant\n");
  EXPECT_EQ(model.weight_bytes(), 32U);
}

TEST(ArithmeticStepTest, ConstantOnTheLeftStaysOnTheLeft) {
  GraphBuilder builder;
  const ValueId one = builder.Constant(FloatTensor({1}, {1}));
  const ValueId x = builder.Input("x", {2});
  builder.Output(builder.Node(Operator::kSub, {one, x}, {.row_shape = {2}}));
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              OneTensor(FloatTensor({1, 2}, {3, 0})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(-2, 1));
}

TEST(ArithmeticStepTest, ComputedValuesAreBroadcastInsideOfARow) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {2, 1});
  const ValueId b = builder.Input("b", {1, 3});
  builder.Output(builder.Node(Operator::kAdd, {a, b}, {.row_shape = {2, 3}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run =
      RunPlan(model, TwoTensors(FloatTensor({2, 2, 1}, {10, 20, 30, 40}),
                                FloatTensor({2, 1, 3}, {1, 2, 3, 4, 5, 6})));
  EXPECT_THAT(run.outputs[0].As<float>(),
              ElementsAre(11, 12, 13, 21, 22, 23, 34, 35, 36, 44, 45, 46));
  EXPECT_EQ(model.Describe(), "broadcast to 6\nbroadcast to 6\nadd 6\n");
}

TEST(ArithmeticStepTest, CompileIsUnimplementedWhenValuesMixRows) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {3});
  const ValueId b = builder.Input("b", {3, 3});
  builder.Output(builder.Node(Operator::kAdd, {a, b}, {.row_shape = {3, 3}}));
  EXPECT_EQ(CompiledModel::Compile(builder.Build()).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(ArithmeticStepTest, CompileIsUnimplementedWhenTypeIsSmallInteger) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {3}, DataType::kUint8);
  builder.Output(builder.Binary(Operator::kAdd, a, a));
  EXPECT_EQ(CompiledModel::Compile(builder.Build()).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(ArithmeticStepTest, PowPReluMinAndMaxFollowTheirOperators) {
  const auto run = [](Operator op) {
    return RunBinary(op, FloatTensor({1, 3}, {-3, 2, 4}),
                     FloatTensor({1, 3}, {2, -1, 0.5F}));
  };
  EXPECT_THAT(run(Operator::kPow).outputs[0].As<float>(),
              ElementsAre(9, 0.5F, 2));
  EXPECT_THAT(run(Operator::kPRelu).outputs[0].As<float>(),
              ElementsAre(-6, 2, 4));
  EXPECT_THAT(run(Operator::kMin).outputs[0].As<float>(),
              ElementsAre(-3, -1, 0.5F));
  EXPECT_THAT(run(Operator::kMax).outputs[0].As<float>(), ElementsAre(2, 2, 4));
}

TEST(ArithmeticStepTest, IntegersHaveMinAndMax) {
  EXPECT_THAT(RunBinary(Operator::kMin, Int32Tensor({1, 1}, {-3}),
                        Int32Tensor({1, 1}, {2}))
                  .outputs[0]
                  .As<std::int32_t>(),
              ElementsAre(-3));
  EXPECT_THAT(RunBinary(Operator::kMax, Int32Tensor({1, 1}, {-3}),
                        Int32Tensor({1, 1}, {2}))
                  .outputs[0]
                  .As<std::int32_t>(),
              ElementsAre(2));
}

// `op` of x [N, 2], 10 and x again.
std::vector<float> RunThree(Operator op) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId h = builder.Unary(Operator::kNeg, x);
  const ValueId ten = builder.Constant(FloatTensor({1}, {10}));
  builder.Output(builder.Node(op, {h, ten, h}, {.row_shape = {2}}));
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              OneTensor(FloatTensor({1, 2}, {-1, 26})));
  const auto values = run.outputs[0].As<float>();
  return {values.begin(), values.end()};
}

TEST(ArithmeticStepTest, SumMeanMinAndMaxTakeAnyNumberOfOperands) {
  EXPECT_THAT(RunThree(Operator::kSum), ElementsAre(12, -42));
  EXPECT_THAT(RunThree(Operator::kMean), ElementsAre(4, -14));
  EXPECT_THAT(RunThree(Operator::kMin), ElementsAre(1, -26));
  EXPECT_THAT(RunThree(Operator::kMax), ElementsAre(10, 10));
}

TEST(ArithmeticStepTest, SumOfOneOperandIsNoStep) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(builder.Node(Operator::kSum, {x}, {.row_shape = {2}}));
  EXPECT_EQ(CompileOrDie(builder.Build()).Describe(), "");
}

}  // namespace
}  // namespace relu
