#include "core/relu/skip_forecast.h"

#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/plan/plan_report.h"
#include "core/relu/piecewise_network.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

// x [8] -> 16 sums.
Graph OneWideLayer() {
  GraphBuilder builder;
  builder.Output(builder.MatMul(
      builder.Input("x", {8}),
      builder.Constant(FloatTensor({8, 16}, std::vector<float>(128, 1.0F)))));
  return builder.Build();
}

// Of that layer: 100 ns, or 10 ns for each input that is not zero.
PlanReport PlanOf(std::size_t zero_skip_entries) {
  PlanReport plan;
  StepReport& step = plan.steps.emplace_back();
  step.nodes = {"node_0"};
  step.multiply_adds = 128;
  step.costs.dense = {100, 200, 400, 800, 1600};
  step.costs.count_row = 2;
  step.costs.sparse_alone = {10, 40, 80};
  step.zero_skip_entries = zero_skip_entries;
  return plan;
}

// 2 of 8 that are not zero, then all.
const InputRows kTwoRows = {
    .rows = 2, .elements = {0, 1, 0, 0, 2, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}};

TEST(SkipForecastTest, RowsWithManyZerosAreExpectedToBeFaster) {
  const PiecewiseNetwork network = LowerOrDie(OneWideLayer());
  const auto forecasts = ForecastZeroSkip(network, kTwoRows, PlanOf(6));
  ASSERT_TRUE(forecasts.ok()) << forecasts.status();
  ASSERT_EQ(forecasts->size(), 1U);
  const SkipForecast& forecast = forecasts->front();
  EXPECT_EQ(forecast.zeros, 0.375);
  EXPECT_EQ(forecast.break_even, 0.25);
  EXPECT_EQ(forecast.skipping_rows, 0.5);
  EXPECT_EQ(forecast.dense_ns, 100);
  EXPECT_EQ(forecast.expected_ns, (20 + 102) / 2.0);
}

TEST(SkipForecastTest, PlanThatNeverSkipsTakesWhatItTakes) {
  const PiecewiseNetwork network = LowerOrDie(OneWideLayer());
  const auto forecasts = ForecastZeroSkip(network, kTwoRows, PlanOf(0));
  ASSERT_TRUE(forecasts.ok()) << forecasts.status();
  EXPECT_FALSE(forecasts->front().break_even.has_value());
  EXPECT_EQ(forecasts->front().skipping_rows, 0);
  EXPECT_EQ(forecasts->front().expected_ns, 100);
}

TEST(SkipForecastTest, LayersOfAPlanAreFoundByTheirNodes) {
  const Graph graph = OneWideLayer();
  const auto model = CompiledModel::Compile(graph);
  ASSERT_TRUE(model.ok()) << model.status();
  const auto forecasts =
      ForecastZeroSkip(LowerOrDie(graph), kTwoRows, model->report());
  ASSERT_TRUE(forecasts.ok()) << forecasts.status();
  EXPECT_GT(forecasts->front().dense_ns, 0);
}

TEST(SkipForecastTest, LayersThatThePlanHasNotAreCountedAlone) {
  const auto forecasts =
      ForecastZeroSkip(LowerOrDie(OneWideLayer()), kTwoRows, {});
  ASSERT_TRUE(forecasts.ok()) << forecasts.status();
  EXPECT_EQ(forecasts->front().zeros, 0.375);
  EXPECT_EQ(forecasts->front().dense_ns, 0);
}

}  // namespace
}  // namespace relu
