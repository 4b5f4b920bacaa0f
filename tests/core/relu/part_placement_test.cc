#include "core/relu/part_placement.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/relu/piecewise_network.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

std::size_t Moves(const PiecewiseNetwork& network) {
  return static_cast<std::size_t>(std::ranges::count_if(
      network.ops,
      [](const Op& op) { return std::holds_alternative<MoveOp>(op); }));
}

ValueId Concat(GraphBuilder& builder, const std::vector<ValueId>& parts,
               std::int64_t size) {
  return builder.Node(Operator::kConcat, parts, {.row_shape = {size}},
                      {{"axis", std::int64_t{1}}});
}

ValueId Layer(GraphBuilder& builder, ValueId input, std::int64_t inputs) {
  std::vector<float> weights(static_cast<std::size_t>(2 * inputs));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(i + 1);
  }
  return builder.MatMul(input,
                        builder.Constant(FloatTensor({inputs, 2}, weights)));
}

struct LeafPass {
  std::vector<float> output;
  std::vector<float> slopes;  // Of the first element, by all leaves.
};

// With the leaves 1, 2, 3, ...
LeafPass RunLeaves(const PiecewiseNetwork& network) {
  std::vector<float> values(network.row_floats);
  std::vector<float> adjoints(network.row_floats);
  float next = 1;
  for (const Leaf& leaf : network.leaves) {
    for (std::size_t i = 0; i < leaf.slot.size; ++i) {
      values[leaf.slot.offset + i] = next++;
    }
  }
  PassMemory memory(network, 1);
  RunForward(network, 1, values.data(), memory);
  adjoints[network.output.offset] = 1;
  RunBackward(network, {}, values.data(), adjoints.data(), memory);
  LeafPass pass;
  const float* const output = values.data() + network.output.offset;
  pass.output.assign(output, output + network.output.size);
  for (const Leaf& leaf : network.leaves) {
    const float* const slopes = adjoints.data() + leaf.slot.offset;
    pass.slopes.insert(pass.slopes.end(), slopes, slopes + leaf.slot.size);
  }
  return pass;
}

// Activations know the layer that they follow.
void ExpectLayersBefore(const PiecewiseNetwork& network) {
  for (const Op& any : network.ops) {
    const auto* const op = std::get_if<ActivationOp>(&any);
    if (op != nullptr && op->layer != ActivationOp::kNone) {
      ASSERT_LT(op->layer, network.ops.size());
      const auto* const layer = std::get_if<DenseOp>(&network.ops[op->layer]);
      ASSERT_NE(layer, nullptr);
      EXPECT_EQ(layer->output.offset, op->input.offset);
    }
  }
}

// Expects the same of the network, with so many moves less.
void ExpectPlaced(const Graph& graph, std::size_t placed) {
  PiecewiseNetwork network = LowerOrDie(graph);
  const std::size_t moves = Moves(network);
  const LeafPass before = RunLeaves(network);
  PlaceParts(network);
  EXPECT_EQ(Moves(network), moves - placed);
  const LeafPass after = RunLeaves(network);
  EXPECT_EQ(after.output, before.output);
  EXPECT_EQ(after.slopes, before.slopes);
  ExpectLayersBefore(network);
}

TEST(PartPlacementTest, PartsAreComputedInPlace) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {3});
  const ValueId y = builder.Input("y", {2});
  // Of an operation, a leaf and a layer with its activation behind it.
  const ValueId negative = builder.Unary(Operator::kNeg, x);
  const ValueId joined = Concat(builder, {negative, y}, 5);
  const ValueId hidden =
      builder.Unary(Operator::kRelu, Layer(builder, joined, 5));
  builder.Output(Layer(builder, hidden, 2));
  ExpectPlaced(builder.Build(), 2);
}

TEST(PartPlacementTest, WhatOthersReadStays) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId y = builder.Input("y", {2});
  const ValueId joined = Concat(builder, {x, y}, 4);
  builder.Output(builder.Binary(Operator::kAdd, Layer(builder, joined, 4), y));
  ExpectPlaced(builder.Build(), 1);
}

TEST(PartPlacementTest, APartThatIsThereTwiceStays) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(Layer(builder, Concat(builder, {x, x}, 4), 4));
  ExpectPlaced(builder.Build(), 0);
}

TEST(PartPlacementTest, ConcatenationsWithinOthersKeepTheirOutside) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId y = builder.Input("y", {2});
  const ValueId z = builder.Input("z", {1});
  const ValueId inner = Concat(builder, {x, y}, 3);
  builder.Output(Layer(builder, Concat(builder, {inner, z}, 4), 4));
  ExpectPlaced(builder.Build(), 3);
}

TEST(PartPlacementTest, ScatteredPartsStay) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 2});
  const ValueId y = builder.Input("y", {2, 1});
  const ValueId joined =
      builder.Node(Operator::kConcat, {x, y}, {.row_shape = {2, 3}},
                   {{"axis", std::int64_t{2}}});
  builder.Output(builder.Unary(Operator::kAbs, joined));
  ExpectPlaced(builder.Build(), 0);
}

}  // namespace
}  // namespace relu
