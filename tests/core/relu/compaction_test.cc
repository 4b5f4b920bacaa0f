#include "core/relu/compaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/graph/onnx_layers.h"
#include "core/plan/compiled_model.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/same_bits.h"
#include "core/relu/value_bounds.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/model_builder.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// The neurons from `first` on can go.
std::vector<bool> RemovableFrom(std::size_t first, std::size_t count) {
  std::vector<bool> removable(count, false);
  std::fill(removable.begin() + static_cast<std::ptrdiff_t>(first),
            removable.end(), true);
  return removable;
}

TEST(KeptNeuronsTest, WhatAddsNothingGoes) {
  EXPECT_THAT(
      KeptNeurons({false, true, false, false}, 4, std::vector<std::size_t>{8}),
      ElementsAre(0, 2, 3));
}

TEST(KeptNeuronsTest, OneStaysAlways) {
  EXPECT_THAT(KeptNeurons({true, true}, 4, std::vector<std::size_t>{8}),
              ElementsAre(0));
}

TEST(KeptNeuronsTest, LayerKeepsItsLayout) {
  // With fewer than 16 of 200 inputs, it would be narrow.
  const auto kept =
      KeptNeurons(RemovableFrom(5, 20), 200, std::vector<std::size_t>{64});
  EXPECT_THAT(kept, SizeIs(16));
  EXPECT_TRUE(std::ranges::is_sorted(kept));
  // It is narrow before and after.
  EXPECT_THAT(
      KeptNeurons(RemovableFrom(5, 12), 200, std::vector<std::size_t>{64}),
      SizeIs(5));
}

TEST(KeptNeuronsTest, NarrowReaderKeepsItsLayout) {
  // 7 outputs of 56 inputs or more.
  EXPECT_THAT(
      KeptNeurons(RemovableFrom(10, 64), 64, std::vector<std::size_t>{7}),
      SizeIs(56));
}

TEST(KeptNeuronsTest, InputsOfNarrowReadersStayInTheirChains) {
  std::mt19937 random(7);
  for (int draw = 0; draw < 100; ++draw) {
    std::vector<bool> removable(64 + random() % 64);
    const auto odds = static_cast<std::uint32_t>(1 + random() % 8);
    for (std::size_t i = 0; i < removable.size(); ++i) {
      removable[i] = random() % odds == 0;
    }
    const auto kept =
        KeptNeurons(removable, 100, std::vector<std::size_t>{2, 3});
    std::vector<std::size_t> places(removable.size(), removable.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      EXPECT_EQ(places[kept[i]], removable.size()) << "kept twice";
      places[kept[i]] = i;
    }
    for (std::size_t i = 0; i < removable.size(); ++i) {
      if (removable[i]) {
        continue;
      }
      ASSERT_LT(places[i], kept.size());
      EXPECT_EQ(places[i] % 16, i % 16);
      for (std::size_t before = i % 16; before < i; before += 16) {
        EXPECT_TRUE(removable[before] || places[before] < places[i]);
      }
    }
  }
}

TEST(KeptNeuronsTest, ReadersOfBothKindsKeepAll) {
  const auto kept =
      KeptNeurons(RemovableFrom(32, 64), 64, std::vector<std::size_t>{4, 32});
  EXPECT_THAT(kept, SizeIs(64));
}

// x [1] -> relu(x, -x - 10, 0 x - 1) -> the sum.
PiecewiseNetwork ThreeRelus() {
  GraphBuilder builder;
  const ValueId hidden = builder.Unary(
      Operator::kRelu,
      builder.Gemm(builder.Input("x", {1}),
                   builder.Constant(FloatTensor({1, 3}, {1, -1, 0})),
                   builder.Constant(FloatTensor({3}, {0, -10, -1}))));
  builder.Output(
      builder.MatMul(hidden, builder.Constant(FloatTensor({3, 1}, {1, 1, 1}))));
  return LowerOrDie(builder.Build());
}

TEST(FindDeadNeuronsTest, BoxTellsWhichAreNeverOn) {
  const PiecewiseNetwork network = ThreeRelus();
  const DeadNeurons dead = FindDeadNeurons(
      network, LinearBounds(network, {.low = {-1}, .high = {5}}));
  EXPECT_THAT(dead.at("node_0"), ElementsAre(false, true, true));
}

TEST(FindDeadNeuronsTest, SomeAreDeadForEveryInput) {
  const PiecewiseNetwork network = ThreeRelus();
  EXPECT_THAT(FindDeadNeurons(network, BoundsOfAllInputs(network)).at("node_0"),
              ElementsAre(false, false, true));
}

TEST(FindDeadNeuronsTest, LeakyActivationsAreNeverDead) {
  GraphBuilder builder;
  builder.Output(
      builder.Node(Operator::kLeakyRelu,
                   {builder.Gemm(builder.Input("x", {1}),
                                 builder.Constant(FloatTensor({1, 1}, {0})),
                                 builder.Constant(FloatTensor({1}, {-1})))},
                   {.row_shape = {1}}, {{"alpha", 0.1F}}));
  const PiecewiseNetwork network = LowerOrDie(builder.Build());
  EXPECT_THAT(FindDeadNeurons(network, BoundsOfAllInputs(network)).at("node_0"),
              ElementsAre(false));
}

// A network whose neurons are dead, or read by zeros, at random.
ModelBuilder DrawNetwork(const std::vector<std::int64_t>& sizes,
                         std::uint32_t seed) {
  std::mt19937 random(seed);
  ModelBuilder builder = MakeMlp(sizes);
  for (std::size_t layer = 1; layer + 1 < sizes.size(); ++layer) {
    const auto n = static_cast<std::size_t>(sizes[layer]);
    const auto outputs = static_cast<std::size_t>(sizes[layer + 1]);
    auto* const bias =
        builder.graph().mutable_initializer(static_cast<int>(2 * layer - 1));
    auto* const readers =
        builder.graph().mutable_initializer(static_cast<int>(2 * layer));
    auto* const biases =
        reinterpret_cast<float*>(bias->mutable_raw_data()->data());
    auto* const weights =
        reinterpret_cast<float*>(readers->mutable_raw_data()->data());
    for (std::size_t i = 0; i < n; ++i) {
      if (random() % 3 == 0) {
        biases[i] = -1e4F;
      } else if (random() % 4 == 0) {
        std::fill_n(weights + i * outputs, outputs, 0.0F);
      }
    }
  }
  return builder;
}

// T9 of the reference: the same bits, on points at the ends of the box too.
TEST(TakeOutNeuronsTest, BitsStay) {
  TestFolder folder;
  const std::vector<std::vector<std::int64_t>> shapes = {
      {20, 64, 40, 3}, {20, 33, 10},        {200, 40, 12, 24, 5},
      {9, 128, 2},     {40, 17, 100, 6, 7}, {5, 16, 16, 16, 1}};
  std::size_t taken_out = 0;
  for (std::uint32_t seed = 0; seed < 24; ++seed) {
    const auto& sizes = shapes[seed % shapes.size()];
    const std::filesystem::path file =
        folder.Write("model.onnx", DrawNetwork(sizes, seed).model());
    const auto graph = ImportOnnx(file);
    ASSERT_TRUE(graph.ok()) << graph.status();
    const PiecewiseNetwork network = LowerOrDie(*graph);
    InputBox box = {.low = std::vector<double>(network.input_elements, -1.0),
                    .high = std::vector<double>(network.input_elements, 1.0)};
    for (std::size_t i = 0; i < network.input_elements; i += 3) {
      box.low[i] = box.high[i] = 0.0;
    }
    auto layers = OnnxLayers::Read(file, /*with_inputs=*/seed % 2 == 0);
    ASSERT_TRUE(layers.ok()) << layers.status();
    for (const LayerCompaction& layer :
         TakeOutNeurons(FindDeadNeurons(network, IntervalBounds(network, box)),
                        FindZeroInputs(network, box), *layers)) {
      taken_out += layer.neurons - layer.kept;
      EXPECT_EQ(layer.kept + layer.dead + layer.unread,
                layer.neurons + layer.held());
    }
    const auto smaller = layers->Import();
    ASSERT_TRUE(smaller.ok()) << smaller.status();
    const auto model = CompiledModel::Compile(*graph);
    const auto other = CompiledModel::Compile(*smaller);
    ASSERT_TRUE(model.ok() && other.ok());
    const auto same = CheckSameBits(*model, *other, box, {}, {.points = 2000});
    EXPECT_TRUE(same.ok()) << same.status() << ", seed " << seed;
  }
  EXPECT_GT(taken_out, 200U);
}

TEST(FindZeroInputsTest, ElementsThatAreZeroInAllOfTheBoxAreFound) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  EXPECT_THAT(FindZeroInputs(network, {.low = {0, 0}, .high = {0, 1}}).at("x"),
              ElementsAre(true, false));
}

TEST(TakeOutNeuronsTest, WhatOnlyFeedsTheUnreadGoesToo) {
  TestFolder folder;
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2}})
      .Floats("w1", {2, 3}, {1, 2, 3, 4, 5, 6})
      .Node("MatMul", {"x", "w1"}, "a")
      .Node("Relu", {"a"}, "h")
      .Floats("w2", {3, 2}, {1, 0, 0, 1, 1, 1})
      .Node("MatMul", {"h", "w2"}, "b")
      .Node("Relu", {"b"}, "g")
      .Floats("w3", {2, 1}, {0, 1})
      .Node("MatMul", {"g", "w3"}, "y")
      .Output("y", {.sizes = {-1, 1}});
  auto layers = OnnxLayers::Read(folder.Write("model.onnx", builder.model()));
  ASSERT_TRUE(layers.ok()) << layers.status();
  const auto done = TakeOutNeurons({}, {}, *layers);
  EXPECT_EQ(done[1].unread, 1U);
  EXPECT_EQ(done[1].kept, 1U);
  EXPECT_EQ(done[0].unread, 1U);  // The first fed the one that is gone.
  EXPECT_EQ(done[0].kept, 2U);
  EXPECT_NE(done[2].obstacle, "");
}

}  // namespace
}  // namespace relu
