#include "core/plan/channel_affine.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

// What `op` with x [N, 2] and a constant does to x.
std::optional<ChannelAffine> Read(Operator op, bool x_is_first,
                                  Tensor constant) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId c = builder.Constant(std::move(constant));
  builder.Node(
      op, x_is_first ? std::vector<ValueId>{x, c} : std::vector<ValueId>{c, x},
      {.row_shape = {2}});
  const Graph graph = builder.Build();
  return AffineOfFeatures(graph, graph.nodes[0], x);
}

TEST(ChannelAffineTest, ArithmeticIsReadFromBothSides) {
  const auto read = [](Operator op, bool x_is_first) {
    return *Read(op, x_is_first, FloatTensor({2}, {2, 4}));
  };
  EXPECT_THAT(read(Operator::kAdd, true).shift, ElementsAre(2, 4));
  EXPECT_THAT(read(Operator::kSub, true).shift, ElementsAre(-2, -4));
  EXPECT_THAT(read(Operator::kSub, false).shift, ElementsAre(2, 4));
  EXPECT_THAT(read(Operator::kSub, false).scale, ElementsAre(-1, -1));
  EXPECT_THAT(read(Operator::kMul, false).scale, ElementsAre(2, 4));
  EXPECT_THAT(read(Operator::kDiv, true).scale, ElementsAre(0.5, 0.25));
}

TEST(ChannelAffineTest, ScalarsAreForAllFeatures) {
  EXPECT_THAT(Read(Operator::kMul, true, FloatTensor({}, {3}))->scale,
              ElementsAre(3, 3));
}

TEST(ChannelAffineTest, WhatIsNotAffineOrNotFiniteIsLeftAlone) {
  EXPECT_FALSE(Read(Operator::kDiv, false, FloatTensor({2}, {2, 4})));
  EXPECT_FALSE(Read(Operator::kDiv, true, FloatTensor({2}, {2, 0})));
  EXPECT_FALSE(Read(Operator::kMul, true, FloatTensor({2}, {1, 1e30F})));
  EXPECT_FALSE(Read(Operator::kPow, true, FloatTensor({2}, {1, 1})));
}

TEST(ChannelAffineTest, BatchNormalizationNeedsConstants) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId one = builder.Constant(FloatTensor({1}, {1}));
  builder.Node(Operator::kBatchNormalization, {x, one, one, one, x},
               {.row_shape = {1}}, {{"epsilon", 1.0F}});
  builder.Node(Operator::kBatchNormalization, {x, one, one, one, one},
               {.row_shape = {1}}, {{"epsilon", 3.0F}});
  const Graph graph = builder.Build();
  EXPECT_EQ(ReadBatchNormalization(graph, graph.nodes[0]).status().code(),
            absl::StatusCode::kUnimplemented);
  const auto affine = AffineOfFeatures(graph, graph.nodes[1], x);
  ASSERT_TRUE(affine.has_value());
  EXPECT_THAT(affine->scale, ElementsAre(0.5));
  EXPECT_THAT(affine->shift, ElementsAre(0.5));
}

}  // namespace
}  // namespace relu
