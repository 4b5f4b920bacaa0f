#include "core/plan/reduce_step.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

struct Reduced {
  std::vector<float> values;
  std::string plan;
};

Reduced Reduce(Operator op, std::vector<std::int64_t> axes, Shape result,
               Tensor input) {
  GraphBuilder builder;
  const Shape& shape = input.shape();
  const ValueId x = builder.Input("x", Shape(shape.begin() + 1, shape.end()));
  builder.Output(
      builder.Node(op, {x}, {.row_shape = std::move(result)},
                   {{"axes", std::move(axes)}, {"keepdims", std::int64_t{0}}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run = RunPlan(model, OneTensor(std::move(input)));
  const auto values = run.outputs[0].As<float>();
  return {.values = {values.begin(), values.end()}, .plan = model.Describe()};
}

Tensor TwoRows() { return FloatTensor({2, 3}, {1, 2, 6, -4, 0, 1}); }

TEST(ReduceStepTest, EachOperatorReducesEachRow) {
  const auto reduce = [](Operator op) {
    return Reduce(op, {1}, {}, TwoRows()).values;
  };
  EXPECT_THAT(reduce(Operator::kReduceMax), ElementsAre(6, 1));
  EXPECT_THAT(reduce(Operator::kReduceMean), ElementsAre(3, -1));
  EXPECT_THAT(reduce(Operator::kReduceMin), ElementsAre(1, -4));
  EXPECT_THAT(reduce(Operator::kReduceProd), ElementsAre(12, 0));
  EXPECT_THAT(reduce(Operator::kReduceSum), ElementsAre(9, -3));
}

TEST(ReduceStepTest, AxesInFrontBehindAndApart) {
  const auto reduce = [](std::vector<std::int64_t> axes, Shape result) {
    return Reduce(Operator::kReduceSum, std::move(axes), std::move(result),
                  FloatTensor({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  };
  EXPECT_THAT(reduce({1}, {2, 2}).values, ElementsAre(6, 8, 10, 12));
  EXPECT_THAT(reduce({3}, {2, 2}).values, ElementsAre(3, 7, 11, 15));
  EXPECT_THAT(reduce({1, 2}, {2}).values, ElementsAre(16, 20));
  EXPECT_THAT(reduce({1, 3}, {2}).values, ElementsAre(14, 22));
  EXPECT_EQ(reduce({1, 3}, {2}).plan,
            "transpose to 8\nreduce sum 4, 2 times a row\n");
}

TEST(ReduceStepTest, NoAxesAreNoStep) {
  const Reduced reduced = Reduce(Operator::kReduceMax, {}, {3}, TwoRows());
  EXPECT_THAT(reduced.values, ElementsAre(1, 2, 6, -4, 0, 1));
  EXPECT_EQ(reduced.plan, "");
}

TEST(ReduceStepTest, SumsAreTakenInDouble) {
  EXPECT_THAT(Reduce(Operator::kReduceSum, {1}, {},
                     FloatTensor({1, 3}, {1e30F, 1, -1e30F}))
                  .values,
              ElementsAre(0));
  EXPECT_THAT(Reduce(Operator::kReduceMean, {1}, {},
                     FloatTensor({1, 3}, {16777216, 1, 1}))
                  .values,
              ElementsAre(5592406));
}

TEST(ReduceStepTest, NanGivesNanWhereverItIs) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Operator op : {Operator::kReduceMax, Operator::kReduceMin,
                            Operator::kReduceMean, Operator::kReduceProd}) {
    for (std::size_t place = 0; place < 3; ++place) {
      std::vector<float> values = {1, 2, 3};
      values[place] = nan;
      EXPECT_TRUE(std::isnan(
          Reduce(op, {1}, {}, FloatTensor({1, 3}, values)).values[0]));
    }
  }
}

TEST(ReduceStepTest, IntegersAreUnimplemented) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2}, DataType::kInt32);
  builder.Output(builder.Node(Operator::kReduceSum, {x},
                              {.row_shape = {}, .type = DataType::kInt32},
                              {{"axes", std::vector<std::int64_t>{1}}}));
  const Graph graph = builder.Build();
  PlanBuilder plan(graph);
  EXPECT_EQ(LowerReduction(graph.nodes[0], plan).code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
