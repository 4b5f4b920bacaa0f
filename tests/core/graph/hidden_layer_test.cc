#include "core/graph/hidden_layer.h"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/onnx_import.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<FoundLayer> LayersOf(ModelBuilder& builder,
                                 bool with_inputs = false) {
  const auto graph = ImportOnnx(builder.model(), "");
  if (!graph.ok()) {
    ADD_FAILURE() << graph.status();
  }
  CHECK(graph.ok());
  return FindHiddenLayers(builder.graph(), *graph, with_inputs);
}

std::string ObstacleOf(ModelBuilder builder) {
  const FoundLayer layer = LayersOf(builder).front();
  EXPECT_THAT(layer.parameters, IsEmpty());
  EXPECT_THAT(layer.readers, IsEmpty());
  return layer.layer.obstacle;
}

// x [2] -> 3 neurons -> y [2], with `between` from "sum" to "h".
ModelBuilder NeuronsWith(const std::function<void(ModelBuilder&)>& between) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2}})
      .Floats("w1", {2, 3}, {1, 2, 3, 4, 5, 6})
      .Floats("b1", {3}, {7, 8, 9})
      .Node("Gemm", {"x", "w1", "b1"}, "sum");
  between(builder);
  builder.Floats("w2", {3, 2}, {1, 2, 3, 4, 5, 6})
      .Node("MatMul", {"h", "w2"}, "y")
      .Output("y", {.sizes = {-1, 2}});
  return builder;
}

ModelBuilder NeuronsWithRelu() {
  return NeuronsWith(
      [](ModelBuilder& builder) { builder.Node("Relu", {"sum"}, "h"); });
}

TEST(HiddenLayerTest, ReadersAmongOthersAreAnObstacle) {
  ModelBuilder builder = NeuronsWithRelu();
  builder.Node("Tanh", {"h"}, "also").Output("also");
  EXPECT_THAT(ObstacleOf(builder), HasSubstr("\"h\" is read by several"));
}

TEST(HiddenLayerTest, SharedWeightsAreAnObstacle) {
  ModelBuilder builder = NeuronsWithRelu();
  builder.Node("MatMul", {"x", "w1"}, "twin").Output("twin");
  EXPECT_THAT(ObstacleOf(builder), HasSubstr("no floats of its own"));
  ModelBuilder reader = NeuronsWithRelu();
  reader.Floats("x2", {1, 3}, {1, 1, 1})
      .Node("Add", {"h", "x2"}, "z")
      .Node("MatMul", {"z", "w2"}, "twin")
      .Output("twin");
  EXPECT_NE(ObstacleOf(reader), "");
}

TEST(HiddenLayerTest, WhatMakesSomethingOfZeroIsAnObstacle) {
  const auto builder = NeuronsWith([](ModelBuilder& model) {
    model.Node("Relu", {"sum"}, "active")
        .Floats("one", {3}, {1, 1, 1})
        .Node("Add", {"active", "one"}, "h");
  });
  EXPECT_EQ(ObstacleOf(builder), "node \"h\" (Add) comes after the activation");
}

TEST(HiddenLayerTest, WhatMixesNeuronsIsAnObstacle) {
  const auto builder = NeuronsWith([](ModelBuilder& model) {
    model.Node("Softmax", {"sum"}, "h", {IntAttributeProto("axis", 1)});
  });
  EXPECT_EQ(ObstacleOf(builder), "node \"h\" (Softmax) reads it");
  const auto sum = NeuronsWith([](ModelBuilder& model) {
    model.Input("other", {.sizes = {-1, 3}}).Node("Add", {"sum", "other"}, "h");
  });
  EXPECT_EQ(ObstacleOf(sum), "node \"h\" (Add) reads another value, too");
}

TEST(HiddenLayerTest, ResultsOfMoreThanOneVectorAreAnObstacle) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 4, 2}})
      .Floats("w1", {2, 3}, {1, 2, 3, 4, 5, 6})
      .Node("MatMul", {"x", "w1"}, "h")
      .Floats("w2", {3, 1}, {1, 2, 3})
      .Node("MatMul", {"h", "w2"}, "y")
      .Output("y", {.sizes = {-1, 4, 1}});
  EXPECT_EQ(ObstacleOf(builder), "it does not compute one vector a row");
}

TEST(HiddenLayerTest, NodesOfOneNameAreAnObstacle) {
  ModelBuilder builder = NeuronsWithRelu();
  builder.graph().mutable_node(2)->set_name("sum");
  EXPECT_EQ(ObstacleOf(builder), "other nodes have its name");
}

TEST(HiddenLayerTest, LayersOfAnMlpAreFound) {
  ModelBuilder builder = MakeMlp({3, 4, 5, 2});
  const std::vector<FoundLayer> layers = LayersOf(builder);
  ASSERT_EQ(layers.size(), 3U);
  EXPECT_EQ(layers[0].layer.node, "h1");
  EXPECT_EQ(layers[0].layer.inputs, 3U);
  EXPECT_EQ(layers[0].layer.neurons, 4U);
  EXPECT_THAT(layers[0].layer.reader_outputs, ElementsAre(5));
  EXPECT_EQ(layers[0].layer.obstacle, "");
  EXPECT_EQ(layers[1].layer.obstacle, "");
  EXPECT_EQ(layers[2].layer.obstacle, "\"y\" is an output");
}

TEST(HiddenLayerTest, InputsThatOthersReadStay) {
  ModelBuilder builder = NeuronsWithRelu();
  builder.Node("Tanh", {"x"}, "also").Output("also");
  const auto layers = LayersOf(builder, /*with_inputs=*/true);
  EXPECT_EQ(layers[0].layer.obstacle, "not only Gemm and MatMul read it");
}

}  // namespace
}  // namespace relu
