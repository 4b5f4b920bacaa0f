#include "core/relu/network_builder.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

// The integers that the last node of a graph of integers makes become floats.
PiecewiseNetwork OfIntegers(GraphBuilder& builder, ValueId integers,
                            std::int64_t size) {
  builder.Output(builder.Node(Operator::kCast, {integers},
                              {.row_shape = {size}},
                              {{"to", std::int64_t{0}}}));
  return LowerOrDie(builder.Build());
}

TEST(NetworkBuilderTest, IntegerArithmeticIsScaleAndShift) {
  GraphBuilder builder;
  const GraphBuilder::Result like{.row_shape = {2}, .type = DataType::kInt64};
  ValueId value = builder.Input("c", {2}, DataType::kInt64);
  const auto constant = [&](std::int64_t a, std::int64_t b) {
    return builder.Constant(Int64Tensor({2}, {a, b}));
  };
  value = builder.Node(Operator::kAdd, {value, constant(1, 2)}, like);
  value = builder.Node(Operator::kMul, {constant(3, 3), value}, like);
  value = builder.Node(Operator::kSub, {value, constant(5, 6)}, like);
  value = builder.Node(Operator::kSub, {constant(100, 0), value}, like);
  const PiecewiseNetwork network = OfIntegers(builder, value, 2);
  ASSERT_EQ(network.leaves.size(), 1U);
  const std::vector<IntegerSource>& sources = network.leaves[0].sources;
  // 100 - (3 (c0 + 1) - 5) and -(3 (c1 + 2) - 6)
  EXPECT_EQ(sources[0].element, 0U);
  EXPECT_EQ(sources[0].scale, -3);
  EXPECT_EQ(sources[0].shift, 102);
  EXPECT_EQ(sources[1].element, 1U);
  EXPECT_EQ(sources[1].scale, -3);
  EXPECT_EQ(sources[1].shift, 0);
}

TEST(NetworkBuilderTest, IntegersKeepWhereTheyComeFrom) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {3});
  const ValueId c = builder.Input("c", {2}, DataType::kInt64);
  // The last of x as an integer, then both of c.
  const ValueId last = builder.Node(
      Operator::kGather, {x, builder.Constant(Int64Tensor({1}, {-1}))},
      {.row_shape = {1}}, {{"axis", std::int64_t{1}}});
  const ValueId whole = builder.Node(
      Operator::kCast, {last}, {.row_shape = {1}, .type = DataType::kInt64},
      {{"to", std::int64_t{0}}});
  const ValueId joined =
      builder.Node(Operator::kConcat, {whole, c},
                   {.row_shape = {3}, .type = DataType::kInt64},
                   {{"axis", std::int64_t{1}}});
  const PiecewiseNetwork network = OfIntegers(builder, joined, 3);
  const Leaf& leaf = network.leaves.back();
  EXPECT_EQ(leaf.kind, Leaf::Kind::kInteger);
  EXPECT_EQ(leaf.sources[0].element, 2U);
  EXPECT_EQ(leaf.sources[1].element, 3U);
  EXPECT_EQ(leaf.sources[2].element, 4U);
}

TEST(NetworkBuilderTest, OnlyTheLastReaderOfAnInputWritesItsDerivative) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const auto layer = [&](ValueId input) {
    return builder.MatMul(input,
                          builder.Constant(FloatTensor({2, 2}, {1, 2, 3, 4})));
  };
  const ValueId first = layer(x);
  const ValueId second = layer(x);
  builder.Output(builder.Binary(Operator::kAdd, first, second));
  const PiecewiseNetwork network = LowerOrDie(builder.Build());
  EXPECT_FALSE(std::get<DenseOp>(network.ops[0]).last_reader);
  EXPECT_TRUE(std::get<DenseOp>(network.ops[1]).last_reader);
  // So that both of them count.
  std::vector<float> values(network.row_floats);
  std::vector<float> adjoints(network.row_floats);
  PassMemory memory(network, 1);
  adjoints[network.output.offset] = 1;
  RunForward(network, 1, values.data(), memory);
  RunBackward(network, {}, values.data(), adjoints.data(), memory);
  EXPECT_EQ(adjoints[0], 2);
  EXPECT_EQ(adjoints[1], 6);
}

TEST(NetworkBuilderTest, ActivationKnowsTheLayerBeforeIt) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  EXPECT_EQ(std::get<ActivationOp>(network.ops[1]).layer, 0U);
  EXPECT_EQ(network.multiply_adds, 6U);
  EXPECT_GT(network.bytes(), 6 * sizeof(float));
}

TEST(NetworkBuilderTest, ValuesThatAreNoFloatsAreNamed) {
  GraphBuilder builder;
  builder.Input("c", {2}, DataType::kInt64);
  const Graph graph = builder.Build();
  const NetworkBuilder network(graph);
  Node node;
  node.op = Operator::kRelu;
  node.name = "act";
  const absl::Status status = network.Floats(node, graph.inputs[0]).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(),
              HasSubstr("node \"act\" (Relu): it reads \"c\" (INT64)"));
}

TEST(NetworkBuilderTest, FinishWantsFloats) {
  GraphBuilder builder;
  builder.Input("c", {2}, DataType::kInt64);
  const Graph graph = builder.Build();
  NetworkBuilder network(graph);
  EXPECT_EQ(network.Finish(graph.inputs[0]).status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
