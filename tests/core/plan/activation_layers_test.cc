#include "core/plan/activation_layers.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::IsEmpty;

std::vector<float> Counting(std::size_t count) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = static_cast<float>(i + 1);
  }
  return numbers;
}

ValueId Layer(GraphBuilder& builder, ValueId input, std::int64_t k,
              std::int64_t n) {
  return builder.Gemm(
      input,
      builder.Constant(
          FloatTensor({k, n}, Counting(static_cast<std::size_t>(k * n)))),
      builder.Constant(FloatTensor(
          {n}, std::vector<float>(static_cast<std::size_t>(n), 0.5F))));
}

TEST(ActivationLayersTest, LayersOfARowAreReadFromEachOther) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {3});
  const ValueId first =
      builder.Unary(Operator::kRelu, Layer(builder, x, 3, 20));
  const ValueId second =
      builder.Node(Operator::kLeakyRelu, {Layer(builder, first, 20, 4)},
                   {.row_shape = {4}}, {{"alpha", 0.1F}});
  builder.Output(Layer(builder, second, 4, 2));
  const CompiledModel model = CompileOrDie(builder.Build());

  const auto layers = model.activations();
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_EQ(layers[0].function, "Relu");
  EXPECT_EQ(layers[0].neurons, 20U);
  EXPECT_EQ(layers[0].on_above, 0.0F);
  ASSERT_EQ(layers[0].sources.size(), 1U);
  EXPECT_EQ(layers[0].sources[0].kind, LayerSource::Kind::kInput);
  EXPECT_EQ(layers[0].sources[0].index, 0U);
  EXPECT_EQ(layers[0].sources[0].count, 3U);
  ASSERT_NE(layers[0].weights, nullptr);
  EXPECT_EQ(layers[0].weights->k, 3U);
  EXPECT_EQ(layers[1].function, "LeakyRelu");
  ASSERT_NE(layers[1].weights, nullptr);
  EXPECT_EQ(layers[1].weights->n, 4U);
  ASSERT_EQ(layers[1].sources.size(), 1U);
  EXPECT_EQ(layers[1].sources[0].kind, LayerSource::Kind::kLayer);
  EXPECT_EQ(layers[1].sources[0].index, 0U);
  EXPECT_NE(layers[0].name, layers[1].name);
}

TEST(ActivationLayersTest, ConcatenatedInputsAreTheSourcesInTheirOrder) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {2});
  const ValueId b = builder.Input("b", {3});
  const ValueId exp = builder.Unary(Operator::kExp, a);
  const ValueId all =
      builder.Node(Operator::kConcat, {b, exp, a}, {.row_shape = {7}},
                   {{"axis", std::int64_t{1}}});
  builder.Output(builder.Unary(Operator::kRelu, Layer(builder, all, 7, 16)));
  const CompiledModel model = CompileOrDie(builder.Build());

  ASSERT_EQ(model.activations().size(), 1U);
  const auto& sources = model.activations()[0].sources;
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[0].kind, LayerSource::Kind::kInput);
  EXPECT_EQ(sources[0].index, 1U);
  EXPECT_EQ(sources[0].count, 3U);
  EXPECT_EQ(sources[1].kind, LayerSource::Kind::kOther);
  EXPECT_EQ(sources[1].count, 2U);
  EXPECT_EQ(sources[2].kind, LayerSource::Kind::kInput);
  EXPECT_EQ(sources[2].index, 0U);
}

TEST(ActivationLayersTest, BoundsOfClipAreWhereNeuronsAreOffAndSaturated) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4});
  builder.Output(builder.Node(Operator::kClip, {x}, {.row_shape = {4}},
                              {{"min", -1.0F}, {"max", 6.0F}}));
  builder.Output(builder.Unary(Operator::kSigmoid, x));
  const CompiledModel model = CompileOrDie(builder.Build());

  ASSERT_EQ(model.activations().size(), 2U);
  EXPECT_EQ(model.activations()[0].on_above, -1.0F);
  EXPECT_EQ(model.activations()[0].saturated_from, 6.0F);
  EXPECT_EQ(model.activations()[0].weights, nullptr);
  EXPECT_EQ(model.activations()[1].on_above, 0.5F);
  EXPECT_EQ(model.activations()[1].saturated_from,
            std::numeric_limits<float>::infinity());
}

TEST(ActivationLayersTest, FunctionsThatAreNoActivationsAreNone) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4});
  builder.Output(builder.Unary(Operator::kExp, x));
  builder.Output(Layer(builder, x, 4, 16));
  EXPECT_THAT(CompileOrDie(builder.Build()).activations(), IsEmpty());
}

TEST(ActivationLayersTest, IntegersAreNoActivations) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4}, DataType::kInt64);
  builder.Output(builder.Node(Operator::kRelu, {x},
                              {.row_shape = {4}, .type = DataType::kInt64}));
  EXPECT_THAT(CompileOrDie(builder.Build()).activations(), IsEmpty());
}

TEST(ActivationLayersTest, NodesOfOneNameBecomeDifferentLayers) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4});
  builder.Output(builder.Unary(Operator::kTanh, x));
  builder.Output(builder.Unary(Operator::kElu, x));
  Graph graph = builder.Build();
  for (Node& node : graph.nodes) {
    node.name = "same";
    node.attributes = {{"alpha", 1.0F}};
  }
  const CompiledModel model = CompileOrDie(graph);
  EXPECT_EQ(model.activations()[0].name, "same");
  EXPECT_EQ(model.activations()[1].name, "same#2");
}

}  // namespace
}  // namespace relu
