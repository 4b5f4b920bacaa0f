#include "core/plan/arg_max_step.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

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

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Settings {
  std::int64_t axis = 1;
  std::int64_t select_last = 0;
};

Graph ArgMaxGraph(Shape row_shape, Shape result_shape, DataType type,
                  Settings settings) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", std::move(row_shape), type);
  builder.Output(builder.Node(
      Operator::kArgMax, {x},
      {.row_shape = std::move(result_shape), .type = DataType::kInt64},
      {{"axis", settings.axis},
       {"keepdims", std::int64_t{0}},
       {"select_last_index", settings.select_last}}));
  return builder.Build();
}

Tensor ArgMaxOfRow(Tensor input, std::int64_t select_last) {
  const CompiledModel model =
      CompileOrDie(ArgMaxGraph({input.shape()[1]}, {}, input.type(),
                               {.axis = 1, .select_last = select_last}));
  PlanRun run = RunPlan(model, OneTensor(std::move(input)));
  return std::move(run.outputs[0]);
}

TEST(ArgMaxStepTest, FirstOfEqualValuesWinsUnlessLastIsSelected) {
  const auto input = [] {
    return FloatTensor({2, 4}, {1, 3, 3, 2, 5, 0, 5, 5});
  };
  EXPECT_THAT(ArgMaxOfRow(input(), 0).As<std::int64_t>(), ElementsAre(1, 0));
  EXPECT_THAT(ArgMaxOfRow(input(), 1).As<std::int64_t>(), ElementsAre(2, 3));
}

TEST(ArgMaxStepTest, NanCountsAsGreatest) {
  const auto input = [] { return FloatTensor({1, 5}, {1, kNan, 9, kNan, 3}); };
  EXPECT_THAT(ArgMaxOfRow(input(), 0).As<std::int64_t>(), ElementsAre(1));
  EXPECT_THAT(ArgMaxOfRow(input(), 1).As<std::int64_t>(), ElementsAre(3));
}

TEST(ArgMaxStepTest, IntegersAreComparedExactly) {
  const std::int64_t large = std::int64_t{1} << 60;
  EXPECT_THAT(ArgMaxOfRow(Int64Tensor({1, 3}, {large, large + 1, -1}), 0)
                  .As<std::int64_t>(),
              ElementsAre(1));
}

TEST(ArgMaxStepTest, AxisInTheMiddleGivesOneIndexForEachOtherPosition) {
  const CompiledModel model =
      CompileOrDie(ArgMaxGraph({3, 2}, {2}, DataType::kFp32, {.axis = 1}));
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({1, 3, 2}, {1, 9, 5, 2, 4, 3})));
  EXPECT_THAT(run.outputs[0].As<std::int64_t>(), ElementsAre(1, 0));
  EXPECT_EQ(model.Describe(), "argmax 3, 2 times a row\n");
}

TEST(ArgMaxStepTest, CompileIsInvalidArgumentWhenAxisIsEmpty) {
  EXPECT_EQ(
      CompiledModel::Compile(ArgMaxGraph({0}, {}, DataType::kFp32, {.axis = 1}))
          .status()
          .code(),
      absl::StatusCode::kInvalidArgument);
}

TEST(ArgMaxStepTest, ArgMinFindsTheLeastAndFirstNan) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {3});
  builder.Output(builder.Node(Operator::kArgMin, {x},
                              {.row_shape = {}, .type = DataType::kInt64},
                              {{"axis", std::int64_t{1}},
                               {"keepdims", std::int64_t{0}},
                               {"select_last_index", std::int64_t{0}}}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({2, 3}, {2, -1, -1, -5, nan, nan})));
  EXPECT_THAT(run.outputs[0].As<std::int64_t>(), ElementsAre(1, 1));
  EXPECT_EQ(model.Describe(), "argmin 3\n");
}

}  // namespace
}  // namespace relu
