#include "core/relu/layout_lowering.h"

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/relu/network_builder.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::HasSubstr;
using Ints = std::vector<std::int64_t>;

// That they compute what the interpreter does: piecewise_lowering_test.cc.

absl::Status LowerLast(const Graph& graph) {
  NetworkBuilder builder(graph);
  return LowerLayout(graph.nodes.back(), builder);
}

TEST(LayoutLoweringTest, IntegersMoveLikeFloats) {
  GraphBuilder builder;
  const ValueId c = builder.Input("c", {3}, DataType::kInt64);
  const ValueId moved = builder.Node(
      Operator::kSlice, {c}, {.row_shape = {2}, .type = DataType::kInt64},
      {{"starts", Ints{0, 2}}, {"steps", Ints{1, -2}}});
  const Graph graph = builder.Build();
  NetworkBuilder network(graph);
  ASSERT_TRUE(LowerLayout(graph.nodes[0], network).ok());
  EXPECT_TRUE(network.IsIntegers(moved));
}

TEST(LayoutLoweringTest, ConstantsInAConcatAreRefused) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Node(Operator::kConcat,
               {x, builder.Constant(FloatTensor({1, 1}, {7}))},
               {.row_shape = {3}}, {{"axis", std::int64_t{1}}});
  const absl::Status status = LowerLast(builder.Build());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("takes in a constant"));
}

TEST(LayoutLoweringTest, ComputedIndicesAreRefused) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId c = builder.Input("c", {2}, DataType::kInt64);
  builder.Node(Operator::kGather, {x, c}, {.row_shape = {2}},
               {{"axis", std::int64_t{1}}});
  const absl::Status status = LowerLast(builder.Build());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("indices are computed"));
}

TEST(LayoutLoweringTest, ConstantIndexOutsideIsAnError) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Node(Operator::kGather, {x, builder.Constant(Int64Tensor({1}, {2}))},
               {.row_shape = {1}}, {{"axis", std::int64_t{1}}});
  const absl::Status status = LowerLast(builder.Build());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("outside of a dimension of 2"));
}

}  // namespace
}  // namespace relu
