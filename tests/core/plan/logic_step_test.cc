#include "core/plan/logic_step.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();

Tensor BoolTensor(Shape shape, const std::vector<std::uint8_t>& elements) {
  Tensor tensor(DataType::kBool, std::move(shape));
  std::ranges::copy(elements, tensor.As<std::uint8_t>().begin());
  return tensor;
}

// Row 1: 1 and 2; row 2: 3 and 3; row 3: NaN and 1.
std::vector<std::uint8_t> Compare(Operator op) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {1});
  const ValueId b = builder.Input("b", {1});
  builder.Output(
      builder.Node(op, {a, b}, {.row_shape = {1}, .type = DataType::kBool}));
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              TwoTensors(FloatTensor({3, 1}, {1, 3, kNoNumber}),
                                         FloatTensor({3, 1}, {2, 3, 1})));
  const auto result = run.outputs[0].As<std::uint8_t>();
  return {result.begin(), result.end()};
}

TEST(LogicStepTest, ComparisonsFollowTheirOperatorsAndAreFalseForNan) {
  EXPECT_THAT(Compare(Operator::kEqual), ElementsAre(0, 1, 0));
  EXPECT_THAT(Compare(Operator::kGreater), ElementsAre(0, 0, 0));
  EXPECT_THAT(Compare(Operator::kGreaterOrEqual), ElementsAre(0, 1, 0));
  EXPECT_THAT(Compare(Operator::kLess), ElementsAre(1, 0, 0));
  EXPECT_THAT(Compare(Operator::kLessOrEqual), ElementsAre(1, 1, 0));
}

TEST(LogicStepTest, IntegersAreComparedExactly) {
  constexpr std::int64_t kLarge = (std::int64_t{1} << 53) + 1;
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {1}, DataType::kInt64);
  const ValueId b = builder.Constant(Int64Tensor({1}, {kLarge}));
  builder.Output(builder.Node(Operator::kEqual, {a, b},
                              {.row_shape = {1}, .type = DataType::kBool}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run =
      RunPlan(model, OneTensor(Int64Tensor({2, 1}, {kLarge, kLarge - 1})));
  EXPECT_THAT(run.outputs[0].As<std::uint8_t>(), ElementsAre(1, 0));
  EXPECT_EQ(model.Describe(), "equal 1, with a constant\n");
}

std::vector<std::uint8_t> Combine(Operator op) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {4}, DataType::kBool);
  const ValueId b = builder.Input("b", {4}, DataType::kBool);
  builder.Output(builder.Binary(op, a, b));
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              TwoTensors(BoolTensor({1, 4}, {0, 0, 1, 7}),
                                         BoolTensor({1, 4}, {0, 1, 0, 1})));
  const auto result = run.outputs[0].As<std::uint8_t>();
  return {result.begin(), result.end()};
}

TEST(LogicStepTest, LogicTakesAnyByteButZeroForTrue) {
  EXPECT_THAT(Combine(Operator::kAnd), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(Combine(Operator::kOr), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(Combine(Operator::kXor), ElementsAre(0, 1, 1, 0));
}

TEST(LogicStepTest, NotInverts) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {2}, DataType::kBool);
  builder.Output(builder.Unary(Operator::kNot, a));
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              OneTensor(BoolTensor({1, 2}, {0, 9})));
  EXPECT_THAT(run.outputs[0].As<std::uint8_t>(), ElementsAre(1, 0));
}

TEST(LogicStepTest, WhereTakesFromBothAndBroadcasts) {
  GraphBuilder builder;
  const ValueId condition = builder.Input("c", {3}, DataType::kBool);
  const ValueId x = builder.Input("x", {1});
  const ValueId minus = builder.Constant(FloatTensor({}, {-1}));
  builder.Output(builder.Node(Operator::kWhere, {condition, x, minus},
                              {.row_shape = {3}}));
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              TwoTensors(BoolTensor({2, 3}, {0, 1, 2, 1, 0, 0}),
                                         FloatTensor({2, 1}, {5, 6})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(-1, 5, 5, 6, -1, -1));
}

TEST(LogicStepTest, WhereTakesEveryElementSize) {
  for (const DataType type : {DataType::kInt8, DataType::kInt16,
                              DataType::kInt32, DataType::kInt64}) {
    GraphBuilder builder;
    const ValueId condition = builder.Input("c", {1}, DataType::kBool);
    const ValueId x = builder.Input("x", {1}, type);
    Tensor other(type, {1});
    other.bytes()[0] = std::byte{9};
    builder.Output(builder.Node(Operator::kWhere,
                                {condition, x, builder.Constant(other.Clone())},
                                {.row_shape = {1}, .type = type}));
    Tensor rows(type, {2, 1});
    rows.bytes()[0] = std::byte{4};
    const PlanRun run =
        RunPlan(CompileOrDie(builder.Build()),
                TwoTensors(BoolTensor({2, 1}, {1, 0}), std::move(rows)));
    EXPECT_EQ(run.outputs[0].bytes()[0], std::byte{4});
    EXPECT_EQ(run.outputs[0].bytes()[DataTypeSize(type)], std::byte{9});
  }
}

TEST(LogicStepTest, ComparisonOfOtherIntegersIsUnimplemented) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {1}, DataType::kInt16);
  builder.Output(builder.Node(Operator::kLess, {a, a},
                              {.row_shape = {1}, .type = DataType::kBool}));
  const Graph graph = builder.Build();
  PlanBuilder plan(graph);
  EXPECT_EQ(LowerComparison(graph.nodes[0], plan).code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
