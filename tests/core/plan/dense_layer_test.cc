#include "core/plan/dense_layer.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/graph_uses.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

Attributes GemmAttributes(float alpha, float beta, std::int64_t trans_b) {
  return {{"alpha", alpha},
          {"beta", beta},
          {"transA", std::int64_t{0}},
          {"transB", trans_b}};
}

// The layer of node `product`, with its weights.
absl::StatusOr<DenseLayer> ReadLayer(const Graph& graph, std::size_t product) {
  absl::StatusOr<DenseLayer> layer = FindDenseLayer(
      graph, GraphUses(graph), product, std::vector<bool>(graph.nodes.size()));
  if (layer.ok()) {
    const absl::Status status = ReadWeights(graph, *layer);
    if (!status.ok()) {
      return status;
    }
  }
  return layer;
}

absl::StatusOr<DenseLayer> ReadFirst(const Graph& graph) {
  return ReadLayer(graph, /*product=*/0);
}

// Gemm of x [N, 2] with B and C.
Graph GemmGraph(Tensor b, Tensor c, Attributes attributes,
                DataType type = DataType::kFp32) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2}, type);
  const ValueId weights = builder.Constant(std::move(b));
  const ValueId bias = builder.Constant(std::move(c));
  builder.Output(builder.Node(Operator::kGemm, {x, weights, bias},
                              {.row_shape = {3}, .type = type},
                              std::move(attributes)));
  return builder.Build();
}

TEST(DenseLayerTest, GemmGivesWeightsAndBiasUnchanged) {
  const Graph graph =
      GemmGraph(FloatTensor({2, 3}, {1, 2, 3, 4, 5, 6}),
                FloatTensor({3}, {7, 8, 9}), GemmAttributes(1, 1, 0));
  const absl::StatusOr<DenseLayer> layer = ReadFirst(graph);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_EQ(layer->k, 2U);
  EXPECT_EQ(layer->n, 3U);
  EXPECT_EQ(layer->vectors_per_row, 1U);
  EXPECT_THAT(layer->weights, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(layer->bias, ElementsAre(7, 8, 9));
  EXPECT_EQ(layer->activation, kernels::Activation::kIdentity);
}

TEST(DenseLayerTest, GemmIsTransposedAndScaled) {
  const Graph graph =
      GemmGraph(FloatTensor({3, 2}, {1, 2, 3, 4, 5, 6}),
                FloatTensor({1, 1}, {3}), GemmAttributes(2, -1, 1));
  const absl::StatusOr<DenseLayer> layer = ReadFirst(graph);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_THAT(layer->weights, ElementsAre(2, 6, 10, 4, 8, 12));
  EXPECT_THAT(layer->bias, ElementsAre(-3, -3, -3));
}

TEST(DenseLayerTest, GemmWithoutBiasTakesTheAddThatFollows) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 2}, {1, 2}));
  const ValueId b = builder.Constant(FloatTensor({1, 2}, {3, 4}));
  const ValueId product =
      builder.Node(Operator::kGemm, {x, w, kNoValue}, {.row_shape = {2}},
                   GemmAttributes(1, 5, 0));
  builder.Output(builder.Binary(Operator::kAdd, product, b));
  const Graph graph = builder.Build();
  const absl::StatusOr<DenseLayer> layer = ReadFirst(graph);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_THAT(layer->bias, ElementsAre(3, 4));
}

TEST(DenseLayerTest, MatMulTakesBiasFromTheLeftAndRelu) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4, 2});
  const ValueId w = builder.Constant(FloatTensor({2, 3}, {1, 2, 3, 4, 5, 6}));
  const ValueId b = builder.Constant(FloatTensor({3}, {7, 8, 9}));
  const ValueId product = builder.MatMul(x, w);
  const ValueId sum =
      builder.Node(Operator::kAdd, {b, product}, {.row_shape = {4, 3}});
  const ValueId y = builder.Unary(Operator::kRelu, sum);
  builder.Output(y);
  const Graph graph = builder.Build();
  const absl::StatusOr<DenseLayer> layer = ReadFirst(graph);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_EQ(layer->vectors_per_row, 4U);
  EXPECT_THAT(layer->bias, ElementsAre(7, 8, 9));
  EXPECT_EQ(layer->activation, kernels::Activation::kRelu);
  EXPECT_EQ(layer->output, y);
  EXPECT_THAT(layer->nodes, ElementsAre(0, 1, 2));
}

TEST(DenseLayerTest, NothingIsFusedWhenTheProductIsUsedTwice) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 1}, {1}));
  const ValueId b = builder.Constant(FloatTensor({1}, {3}));
  const ValueId product = builder.MatMul(x, w);
  builder.Output(builder.Binary(Operator::kAdd, product, b));
  builder.Output(builder.Unary(Operator::kRelu, product));
  const Graph graph = builder.Build();
  const absl::StatusOr<DenseLayer> layer = ReadFirst(graph);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_THAT(layer->bias, ElementsAre(0));
  EXPECT_THAT(layer->nodes, ElementsAre(0));
}

TEST(DenseLayerTest, AddIsLeftAloneWhenItDiffersFromVectorToVector) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 1});
  const ValueId w = builder.Constant(FloatTensor({1, 1}, {1}));
  const ValueId b = builder.Constant(FloatTensor({2, 1}, {3, 4}));
  builder.Output(builder.Binary(Operator::kAdd, builder.MatMul(x, w), b));
  const Graph graph = builder.Build();
  const absl::StatusOr<DenseLayer> layer = ReadFirst(graph);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_THAT(layer->nodes, ElementsAre(0));
}

TEST(DenseLayerTest, AddIsLeftAloneWhenItMakesTheValueLarger) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 1}, {1}));
  const ValueId b = builder.Constant(FloatTensor({2}, {3, 3}));
  builder.Output(builder.Node(Operator::kAdd, {builder.MatMul(x, w), b},
                              {.row_shape = {2}}));
  const Graph graph = builder.Build();
  const absl::StatusOr<DenseLayer> layer = ReadFirst(graph);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_THAT(layer->nodes, ElementsAre(0));
}

TEST(DenseLayerTest, ScalingIsInvalidArgumentWhenAWeightOverflows) {
  const float large = std::numeric_limits<float>::max();
  const Graph graph =
      GemmGraph(FloatTensor({2, 3}, {1, 2, 3, 4, 5, large}),
                FloatTensor({3}, {7, 8, 9}), GemmAttributes(2, 1, 0));
  EXPECT_EQ(ReadFirst(graph).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(DenseLayerTest, GemmIsUnimplementedWhenBiasIsComputed) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 1}, {1}));
  builder.Output(builder.Gemm(x, w, x));
  EXPECT_EQ(ReadFirst(builder.Build()).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(DenseLayerTest, GemmIsUnimplementedWhenWeightsAreComputed) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId c = builder.Constant(FloatTensor({1}, {1}));
  builder.Output(builder.Gemm(x, x, c));
  EXPECT_EQ(ReadFirst(builder.Build()).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(DenseLayerTest, MatMulIsUnimplementedWhenWeightsAreAStack) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 1});
  const ValueId w = builder.Constant(FloatTensor({2, 1, 1}, {1, 2}));
  builder.Output(builder.MatMul(x, w));
  EXPECT_EQ(ReadFirst(builder.Build()).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(DenseLayerTest, GemmOfDoublesIsRounded) {
  Tensor b(DataType::kFp64, {2, 3});
  b.As<double>()[5] = 1.0 / 3.0;
  const Graph graph = GemmGraph(std::move(b), Tensor(DataType::kFp64, {3}),
                                GemmAttributes(1, 1, 0), DataType::kFp64);
  const absl::StatusOr<DenseLayer> layer = ReadFirst(graph);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_THAT(layer->weights, ElementsAre(0, 0, 0, 0, 0, 1.0F / 3.0F));
}

TEST(DenseLayerTest, ArithmeticAfterTheProductIsFolded) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 2}, {1, 2}));
  const ValueId b = builder.Constant(FloatTensor({2}, {3, 4}));
  const ValueId factor = builder.Constant(FloatTensor({2}, {10, 100}));
  const ValueId two = builder.Constant(FloatTensor({}, {2}));
  ValueId y = builder.Gemm(x, w, b);
  y = builder.Binary(Operator::kMul, y, factor);
  y = builder.Node(Operator::kSub, {two, y}, {.row_shape = {2}});
  y = builder.Binary(Operator::kDiv, y, two);
  builder.Output(builder.Unary(Operator::kRelu, y));
  const absl::StatusOr<DenseLayer> layer = ReadFirst(builder.Build());
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_THAT(layer->weights, ElementsAre(-5, -100));
  EXPECT_THAT(layer->bias, ElementsAre(-14, -199));
  EXPECT_EQ(layer->activation, kernels::Activation::kRelu);
  EXPECT_THAT(layer->nodes, ElementsAre(0, 1, 2, 3, 4));
}

// BatchNormalization of n features: scale 2, B 1, mean 3, variance 4 - epsilon.
ValueId BatchNormalization(GraphBuilder& builder, ValueId x, std::int64_t n) {
  std::vector<ValueId> inputs{x};
  for (const float value : {2.0F, 1.0F, 3.0F, 3.5F}) {
    inputs.push_back(builder.Constant(FloatTensor(
        {n}, std::vector<float>(static_cast<std::size_t>(n), value))));
  }
  return builder.Node(Operator::kBatchNormalization, std::move(inputs),
                      {.row_shape = {n}}, {{"epsilon", 0.5F}});
}

TEST(DenseLayerTest, BatchNormalizationOnBothSidesIsFolded) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId w = builder.Constant(FloatTensor({2, 1}, {5, 7}));
  const ValueId normal = BatchNormalization(builder, x, 2);  // x - 2
  builder.Output(
      BatchNormalization(builder, builder.MatMul(normal, w), 1));  // y - 2
  const absl::StatusOr<DenseLayer> layer = ReadLayer(builder.Build(), 1);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_EQ(layer->input, x);
  EXPECT_THAT(layer->weights, ElementsAre(5, 7));
  EXPECT_THAT(layer->bias, ElementsAre(-26));
  EXPECT_THAT(layer->nodes, ElementsAre(0, 1, 2));
}

TEST(DenseLayerTest, ScalesBeforeTheProductAreFoldedInOrder) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId w = builder.Constant(FloatTensor({2, 1}, {5, 7}));
  const ValueId shift = builder.Constant(FloatTensor({2}, {1, 2}));
  const ValueId scale = builder.Constant(FloatTensor({1, 2}, {2, 4}));
  const ValueId moved = builder.Binary(Operator::kAdd, x, shift);
  const ValueId scaled = builder.Binary(Operator::kMul, moved, scale);
  builder.Output(builder.MatMul(scaled, w));
  const absl::StatusOr<DenseLayer> layer = ReadLayer(builder.Build(), 2);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_EQ(layer->input, x);
  EXPECT_THAT(layer->weights, ElementsAre(10, 28));
  EXPECT_THAT(layer->bias, ElementsAre(66));
}

TEST(DenseLayerTest, LargeShiftBeforeTheProductIsLeftAlone) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 1}, {5}));
  const ValueId mean = builder.Constant(FloatTensor({1}, {1000}));
  const ValueId centred = builder.Binary(Operator::kSub, x, mean);
  builder.Output(builder.MatMul(centred, w));
  const absl::StatusOr<DenseLayer> layer = ReadLayer(builder.Build(), 1);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_EQ(layer->input, centred);
}

TEST(DenseLayerTest, ScaleBeforeTheProductIsLeftAloneWhenUsedElsewhere) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 1}, {5}));
  const ValueId scale = builder.Constant(FloatTensor({1}, {3}));
  const ValueId scaled = builder.Binary(Operator::kMul, x, scale);
  builder.Output(builder.MatMul(scaled, w));
  builder.Output(scaled);
  const absl::StatusOr<DenseLayer> layer = ReadLayer(builder.Build(), 1);
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_EQ(layer->input, scaled);
}

TEST(DenseLayerTest, NodesOfAnotherLayerAreLeftToIt) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 1}, {5}));
  const ValueId scale = builder.Constant(FloatTensor({1}, {3}));
  builder.Output(builder.Binary(Operator::kMul, builder.MatMul(x, w), scale));
  const Graph graph = builder.Build();
  const absl::StatusOr<DenseLayer> layer =
      FindDenseLayer(graph, GraphUses(graph), 0, {false, true});
  ASSERT_TRUE(layer.ok()) << layer.status();
  EXPECT_THAT(layer->nodes, ElementsAre(0));
}

}  // namespace
}  // namespace relu
