#include "core/plan/dense_layer.h"

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

absl::StatusOr<DenseLayer> ReadFirst(const Graph& graph) {
  return ReadDenseLayer(graph, GraphUses(graph), /*node=*/0);
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

TEST(DenseLayerTest, GemmIsUnimplementedWhenTypeIsDouble) {
  const Graph graph =
      GemmGraph(Tensor(DataType::kFp64, {2, 3}), Tensor(DataType::kFp64, {3}),
                GemmAttributes(1, 1, 0), DataType::kFp64);
  EXPECT_EQ(ReadFirst(graph).status().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
