#include "core/relu/activity_origins.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/activity_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::DoubleEq;
using ::testing::Each;
using ::testing::ElementsAre;

constexpr std::int64_t kOriginRows = 10;

ValueId ReluLayer(GraphBuilder& builder, ValueId input, std::int64_t inputs,
                  std::int64_t neurons, const std::vector<float>& weights) {
  return builder.Unary(
      Operator::kRelu,
      builder.Gemm(
          input, builder.Constant(FloatTensor({inputs, neurons}, weights)),
          builder.Constant(FloatTensor(
              {neurons},
              std::vector<float>(static_cast<std::size_t>(neurons), 1.0F)))));
}

// x [2] -> relu [3] -> relu [1], with these weights.
CompiledModel ThreeThenOne() {
  GraphBuilder builder;
  const ValueId first = ReluLayer(builder, builder.Input("x", {2}), 2, 3,
                                  {1, 2, -1,  //
                                   0, 1, 3});
  builder.Output(ReluLayer(builder, first, 3, 1, {5, -1, 2}));
  return CompileActivity(builder.Build());
}

// Means of which all are 0, and counts whose means these shifts are.
struct Shifted {
  Shifted(const CompiledModel& model,
          const std::vector<std::vector<double>>& layers,
          const std::vector<double>& inputs)
      : window(model) {
    window.rows = kOriginRows;
    for (std::size_t m = 0; m < layers.size(); ++m) {
      baseline.layers.emplace_back().mean.resize(layers[m].size());
      for (std::size_t k = 0; k < layers[m].size(); ++k) {
        window.layers[m].sum[k] = layers[m][k] * kOriginRows;
      }
    }
    std::size_t next = 0;
    for (const TensorSignature& input : model.inputs()) {
      baseline.inputs.emplace_back().mean.resize(input.row_bytes /
                                                 sizeof(float));
    }
    for (const double shift : inputs) {
      window.input_sum[next++] = shift * kOriginRows;
    }
  }

  NeuronOrigins Of(const CompiledModel& model, std::size_t layer,
                   std::size_t neuron) const {
    const NeuronPlace places[] = {{.layer = layer, .neuron = neuron}};
    return FindOrigins(model, baseline, window, places)[0];
  }

  ActivityBaseline baseline;
  ActivityCounts window;
};

TEST(ActivityOriginsTest, FirstLayerIsMovedByItsWeights) {
  const CompiledModel model = ThreeThenOne();
  const Shifted shifted(model, {{0, 0, 0}, {0}}, {2, 10});
  const NeuronOrigins origins = shifted.Of(model, 0, 1);
  EXPECT_THAT(origins.slopes, ElementsAre(2, 1));
  EXPECT_EQ(origins.sum_shift, 2 * 2 + 10);
  EXPECT_EQ(origins.remainder, 0);
}

// The sums of the first layer move by 2, 14 and 28: all of it comes through.
TEST(ActivityOriginsTest, NeuronsThatStayOnMultiplyTheWeights) {
  const CompiledModel model = ThreeThenOne();
  const Shifted shifted(model, {{2, 14, 28}, {0}}, {2, 10});
  const NeuronOrigins origins = shifted.Of(model, 1, 0);
  EXPECT_THAT(origins.slopes,
              ElementsAre(5 * 1 - 1 * 2 + 2 * -1, 5 * 0 - 1 * 1 + 2 * 3));
  EXPECT_EQ(origins.sum_shift, 5 * 2 - 14 + 2 * 28);
  EXPECT_NEAR(origins.remainder, 0, 1e-12);
}

TEST(ActivityOriginsTest, NeuronsPassOnThePartThatTheyHaveMoved) {
  const CompiledModel model = ThreeThenOne();
  // Of the shifts 2, 14, 28 of the sums: a half, nothing, a quarter.
  const Shifted shifted(model, {{1, 0, 7}, {0}}, {2, 10});
  const NeuronOrigins origins = shifted.Of(model, 1, 0);
  EXPECT_THAT(origins.slopes,
              ElementsAre(0.5 * 5 * 1 + 0.25 * 2 * -1, 0.25 * 2 * 3));
  EXPECT_EQ(origins.sum_shift, 5 * 1 + 2 * 7);
  EXPECT_NEAR(origins.remainder, 0, 1e-12);
}

// A mean that moved further than its sum, or against it, did so by the spread:
// that is no shift of the inputs' means.
TEST(ActivityOriginsTest, WhatNoSumExplainsIsLeftOpen) {
  const CompiledModel model = ThreeThenOne();
  const Shifted shifted(model, {{3, -1, 28}, {0}}, {2, 10});
  const NeuronOrigins origins = shifted.Of(model, 1, 0);
  EXPECT_THAT(origins.slopes, ElementsAre(5 * 1 + 2 * -1, 2 * 3));
  EXPECT_EQ(origins.sum_shift, 5 * 3 - 1 * -1 + 2 * 28);
  // 1 more of the first than its sum, and the second.
  EXPECT_NEAR(origins.remainder, 5 * 1 + 1, 1e-12);
}

TEST(ActivityOriginsTest, NeuronsWhoseSumsDidNotMovePassNothingOn) {
  const CompiledModel model = ThreeThenOne();
  const Shifted shifted(model, {{0, 0, 1}, {0}}, {0, 0});
  const NeuronOrigins origins = shifted.Of(model, 1, 0);
  // The third is beyond its sum, so that all of it would have come through.
  EXPECT_THAT(origins.slopes, ElementsAre(2 * -1, 2 * 3));
  EXPECT_EQ(origins.sum_shift, 2);
  EXPECT_EQ(origins.remainder, 2);
}

TEST(ActivityOriginsTest, InputsAreFoundOnEveryWay) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {1});
  const ValueId b = builder.Input("b", {2});
  const ValueId first = ReluLayer(builder, b, 2, 1, {2, 3});
  // Reads a layer, something that is no activation, and an input again.
  const ValueId all = builder.Node(
      Operator::kConcat, {first, builder.Unary(Operator::kExp, a), a},
      {.row_shape = {3}}, {{"axis", std::int64_t{1}}});
  builder.Output(ReluLayer(builder, all, 3, 1, {7, 100, 11}));
  const CompiledModel model = CompileActivity(builder.Build());
  const Shifted shifted(model, {{5}, {0}}, {1, 1, 1});
  const NeuronOrigins origins = shifted.Of(model, 1, 0);
  EXPECT_THAT(origins.slopes, ElementsAre(11, 7 * 2, 7 * 3));
  EXPECT_EQ(origins.sum_shift, 7 * 5 + 11);
  EXPECT_EQ(origins.remainder, 0);
}

TEST(ActivityOriginsTest, NeuronsWithoutWeightsOfTheirOwnHaveNone) {
  GraphBuilder builder;
  builder.Output(builder.Unary(Operator::kRelu, builder.Input("x", {2})));
  const CompiledModel model = CompileActivity(builder.Build());
  const Shifted shifted(model, {{1, 1}}, {1, 1});
  const NeuronOrigins origins = shifted.Of(model, 0, 1);
  EXPECT_THAT(origins.slopes, Each(DoubleEq(0)));
  EXPECT_EQ(origins.sum_shift, 0);
  EXPECT_EQ(origins.remainder, 0);
}

// Of real counts: of every neuron of the second layer, at once.
TEST(ActivityOriginsTest, DeepNeuronsLeadToTheInputWhoseUnitChanged) {
  const CompiledModel model = TwoLayers();
  const ActivityBaseline baseline = TwoLayerBaseline(model);
  const Tensor rows = TwoLayerRows(512, 20, /*amount_unit=*/1.5F);
  ActivityPass pass(model, 512, baseline.inputs[0].mean);
  ActivityCounts window(model);
  const std::byte* const inputs[] = {rows.bytes().data()};
  pass.Run(512, inputs, window);
  std::vector<NeuronPlace> places;
  for (std::size_t j = 0; j < 12; ++j) {
    places.push_back({.layer = 1, .neuron = j});
  }
  const auto all = FindOrigins(model, baseline, window, places);
  ASSERT_EQ(all.size(), 12U);
  int moved_by_amount = 0;
  for (const NeuronOrigins& origins : all) {
    std::vector<double> sizes;
    double explained = 0.0;
    for (std::size_t i = 0; i < 6; ++i) {
      const double by = origins.slopes[i] * window.input_sum[i] / 512;
      explained += by;
      sizes.push_back(std::abs(by));
    }
    EXPECT_NEAR(explained + origins.remainder, origins.sum_shift, 1e-9);
    moved_by_amount += std::ranges::max_element(sizes) - sizes.begin() == 3;
  }
  // Of a sum in which what goes up and what goes down cancel, another may be.
  EXPECT_GE(moved_by_amount, 11);
}

}  // namespace
}  // namespace relu
