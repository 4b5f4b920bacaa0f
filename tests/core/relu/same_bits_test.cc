#include "core/relu/same_bits.h"

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/relu/leaf_box.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

// x [2] -> relu(x) w.
CompiledModel ModelWith(const std::vector<float>& weights) {
  GraphBuilder builder;
  builder.Output(
      builder.MatMul(builder.Unary(Operator::kRelu, builder.Input("x", {2})),
                     builder.Constant(FloatTensor({2, 1}, weights))));
  auto model = CompiledModel::Compile(builder.Build());
  CHECK(model.ok());
  return *std::move(model);
}

const InputBox kBox = {.low = {-1, -1}, .high = {1, 2}};

TEST(SameBitsTest, RowsAndPointsAreCounted) {
  const auto same =
      CheckSameBits(ModelWith({1, 2}), ModelWith({1, 2}), kBox,
                    {.rows = 2, .elements = {1, 2, 3, 4}}, {.points = 1000});
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->rows, 2);
  EXPECT_EQ(same->points, 1000);
  // One of each block: of 2 rows, and of 64 points.
  EXPECT_EQ(same->alone, 1 + 16);
}

TEST(SameBitsTest, LastBitMakesADifference) {
  const auto same = CheckSameBits(ModelWith({1, 2}),
                                  ModelWith({1, 2.0F + 0x1p-22F}), kBox, {});
  EXPECT_EQ(same.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(same.status().message(), HasSubstr("output \"v"));
}

TEST(SameBitsTest, RowsAreComparedWithoutPoints) {
  const auto same =
      CheckSameBits(ModelWith({1, 0}), ModelWith({1, 1}), kBox,
                    {.rows = 2, .elements = {1, -1, 1, 1}}, {.points = 0});
  EXPECT_EQ(same.status().code(), absl::StatusCode::kInternal);
}

TEST(SameBitsTest, PointsStayInTheBox) {
  // They differ beyond it alone.
  const InputBox box = {.low = {-3, -3}, .high = {0, 0}};
  EXPECT_TRUE(
      CheckSameBits(ModelWith({1, 2}), ModelWith({3, 4}), box, {}).ok());
}

TEST(SameBitsTest, EndsOfTheBoxArePoints) {
  // They differ where the first is 1, and not at the float before.
  const InputBox box = {.low = {0, 0}, .high = {1, 0}};
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(builder.Unary(
      Operator::kRelu,
      builder.Gemm(x, builder.Constant(FloatTensor({2, 1}, {1, 0})),
                   builder.Constant(FloatTensor({1}, {-1.0F + 0x1p-24F})))));
  const auto model = CompiledModel::Compile(builder.Build());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_FALSE(
      CheckSameBits(*model, ModelWith({0, 0}), box, {}, {.points = 100}).ok());
}

TEST(SameBitsTest, PointsHaveOneOfEachOneHotGroup) {
  // They differ where both elements are 1.
  GraphBuilder builder;
  builder.Output(
      builder.Unary(Operator::kRelu,
                    builder.Gemm(builder.Input("x", {2}),
                                 builder.Constant(FloatTensor({2, 1}, {1, 1})),
                                 builder.Constant(FloatTensor({1}, {-1})))));
  const auto model = CompiledModel::Compile(builder.Build());
  ASSERT_TRUE(model.ok()) << model.status();
  InputBox box = {.low = {0, 0}, .high = {1, 1}};
  EXPECT_FALSE(CheckSameBits(*model, ModelWith({0, 0}), box, {}).ok());
  box.one_hot = {{.first = 0, .size = 2}};
  EXPECT_TRUE(CheckSameBits(*model, ModelWith({0, 0}), box, {}).ok());
}

TEST(SameBitsTest, InputsWithoutAnAnswerAreEqual) {
  GraphBuilder builder;
  const ValueId index = builder.Input("i", {1}, DataType::kInt64);
  builder.Output(builder.Node(
      Operator::kGather, {builder.Constant(FloatTensor({2, 1}, {1, 2})), index},
      {.row_shape = {1, 1}}, {{"axis", std::int64_t{0}}}));
  const Graph graph = builder.Build();
  const auto model = CompiledModel::Compile(graph);
  ASSERT_TRUE(model.ok()) << model.status();
  const auto same = CheckSameBits(*model, *model, {.low = {0}, .high = {9}}, {},
                                  {.points = 200});
  EXPECT_TRUE(same.ok()) << same.status();
}

}  // namespace
}  // namespace relu
