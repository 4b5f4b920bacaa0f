#include "core/graph/onnx_layers.h"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_file.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

OnnxLayers LayersOf(const onnx::ModelProto& model) {
  TestFolder folder;
  auto layers = OnnxLayers::Read(folder.Write("model.onnx", model));
  if (!layers.ok()) {
    ADD_FAILURE() << layers.status();
  }
  CHECK(layers.ok());
  return *std::move(layers);
}

const Tensor& ConstantOf(const Graph& graph, const std::string& name) {
  for (const Value& value : graph.values) {
    if (value.name == name && value.constant != nullptr) {
      return *value.constant;
    }
  }
  ADD_FAILURE() << "no constant " << name;
  CHECK(false);
}

std::vector<float> FloatsOf(const Graph& graph, const std::string& name) {
  const auto floats = ConstantOf(graph, name).As<float>();
  return {floats.begin(), floats.end()};
}

// x [2] -> 3 neurons -> y [2], with `between` from "sum" to "h".
ModelBuilder ThreeNeurons(const std::function<void(ModelBuilder&)>& between) {
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

ModelBuilder WithRelu() {
  return ThreeNeurons(
      [](ModelBuilder& builder) { builder.Node("Relu", {"sum"}, "h"); });
}

TEST(OnnxLayersTest, KeptNeuronsHaveTheirWeights) {
  OnnxLayers layers = LayersOf(WithRelu().model());
  layers.Keep(0, std::vector<std::size_t>{2, 0});
  const auto graph = layers.Import();
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(FloatsOf(*graph, "w1"), ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(FloatsOf(*graph, "b1"), ElementsAre(9, 7));
  EXPECT_THAT(FloatsOf(*graph, "w2"), ElementsAre(5, 6, 1, 2));
  EXPECT_EQ(layers.layer(0).neurons, 2U);
  EXPECT_EQ(layers.layer(1).inputs, 3U);  // It has an obstacle.
}

TEST(OnnxLayersTest, LayersThatReadOneAnotherFollow) {
  OnnxLayers layers = LayersOf(MakeMlp({3, 4, 5, 2}).model());
  layers.Keep(1, std::vector<std::size_t>{0, 1, 4});
  EXPECT_THAT(layers.layer(0).reader_outputs, ElementsAre(3));
  layers.Keep(0, std::vector<std::size_t>{3});
  EXPECT_EQ(layers.layer(1).inputs, 1U);
  const auto graph = layers.Import();
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(ConstantOf(*graph, "w2").shape(), (Shape{1, 3}));
}

TEST(OnnxLayersTest, TransposedWeightsAreCutTheOtherWay) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2}})
      .Floats("w1", {3, 2}, {1, 2, 3, 4, 5, 6})
      .Node("Gemm", {"x", "w1"}, "h", {IntAttributeProto("transB", 1)})
      .Floats("w2", {2, 3}, {1, 2, 3, 4, 5, 6})
      .Node("Gemm", {"h", "w2"}, "y", {IntAttributeProto("transB", 1)})
      .Output("y", {.sizes = {-1, 2}});
  OnnxLayers layers = LayersOf(builder.model());
  EXPECT_EQ(layers.layer(0).inputs, 2U);
  EXPECT_THAT(layers.layer(0).reader_outputs, ElementsAre(2));
  layers.Keep(0, std::vector<std::size_t>{1});
  const auto graph = layers.Import();
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(FloatsOf(*graph, "w1"), ElementsAre(3, 4));
  EXPECT_THAT(FloatsOf(*graph, "w2"), ElementsAre(2, 5));
}

TEST(OnnxLayersTest, ConstantsBetweenAreCutToo) {
  ModelBuilder builder = ThreeNeurons([](ModelBuilder& model) {
    model.Floats("scale", {3}, {1, 2, 3})
        .Floats("shift", {3}, {4, 5, 6})
        .Floats("mean", {3}, {0, 0, 0})
        .Floats("variance", {3}, {1, 1, 1})
        .Node("BatchNormalization",
              {"sum", "scale", "shift", "mean", "variance"}, "normal")
        .Floats("half", {}, {0.5F})
        .Node("Mul", {"half", "normal"}, "small")
        .Floats("more", {1, 3}, {7, 8, 9})
        .Node("Add", {"small", "more"}, "moved")
        .Floats("slope", {3}, {0.1F, 0.2F, 0.3F})
        .Node("PRelu", {"moved", "slope"}, "active")
        .Node("Dropout", {"active"}, "dropped")
        .Node("Identity", {"dropped"}, "h");
  });
  OnnxLayers layers = LayersOf(builder.model());
  ASSERT_EQ(layers.layer(0).obstacle, "");
  layers.Keep(0, std::vector<std::size_t>{1, 2});
  const auto graph = layers.Import();
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(FloatsOf(*graph, "shift"), ElementsAre(5, 6));
  EXPECT_THAT(FloatsOf(*graph, "more"), ElementsAre(8, 9));
  EXPECT_THAT(FloatsOf(*graph, "slope"), ElementsAre(0.2F, 0.3F));
  EXPECT_THAT(FloatsOf(*graph, "half"), ElementsAre(0.5F));
}

TEST(OnnxLayersTest, NeuronsWithoutAWeightAreUnread) {
  ModelBuilder builder = WithRelu();
  *builder.graph().mutable_initializer(2) =
      FloatTensorProto("w2", {3, 2}, {0, 1, -0.0F, 0, 2, 0});
  EXPECT_THAT(LayersOf(builder.model()).Unread(0),
              ElementsAre(false, true, false));
}

TEST(OnnxLayersTest, AllReadersCount) {
  ModelBuilder builder = WithRelu();
  *builder.graph().mutable_initializer(2) =
      FloatTensorProto("w2", {3, 2}, {0, 0, 0, 0, 2, 0});
  builder.Floats("w3", {3, 1}, {1, 0, 0})
      .Node("MatMul", {"h", "w3"}, "z")
      .Output("z", {.sizes = {-1, 1}});
  const OnnxLayers layers = LayersOf(builder.model());
  EXPECT_THAT(layers.layer(0).reader_outputs, ElementsAre(2, 1));
  EXPECT_THAT(layers.Unread(0), ElementsAre(false, true, false));
}

// A field of a message, which holds bytes.
std::string ShortField(int number, const std::string& content) {
  CHECK(number < 16 && content.size() < 128);
  return std::string{static_cast<char>(number * 8 + 2),
                     static_cast<char>(content.size())} +
         content;
}

std::string MetadataEntry(const std::string& key, const std::string& value) {
  return ShortField(14, ShortField(1, key) + ShortField(2, value));
}

TEST(OnnxLayersTest, MetadataStaysAndCanBeAdded) {
  TestFolder folder;
  const std::string file = WithRelu().model().SerializeAsString() +
                           MetadataEntry("author", "me") +
                           MetadataEntry("note", "old");
  const auto layers = OnnxLayers::Read(folder.Write("model.onnx", file));
  ASSERT_TRUE(layers.ok()) << layers.status();
  EXPECT_TRUE(layers->HasMetadata("auth"));
  EXPECT_FALSE(layers->HasMetadata("box"));
  const auto bytes = layers->Bytes({{"note", "new"}, {"box", "[]"}});
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_THAT(*bytes, HasSubstr(MetadataEntry("author", "me")));
  EXPECT_THAT(*bytes, HasSubstr(MetadataEntry("note", "new")));
  EXPECT_THAT(*bytes, HasSubstr(MetadataEntry("box", "[]")));
  EXPECT_THAT(*bytes, Not(HasSubstr("old")));
}

TEST(OnnxLayersTest, BytesAreAModelOfTheSameNames) {
  ModelBuilder builder = WithRelu();
  builder.graph().mutable_node(1)->clear_name();
  OnnxLayers layers = LayersOf(builder.model());
  layers.Keep(0, std::vector<std::size_t>{1});
  const auto bytes = layers.Bytes({});
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto model = ParseOnnx(*bytes);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->ir_version(), 8);
  EXPECT_EQ(model->opset_import(0).version(), 17);
  EXPECT_EQ(model->graph().input(0).name(), "x");
  EXPECT_EQ(model->graph().node(1).name(), "");
  EXPECT_EQ(model->graph().initializer(0).name(), "w1");
  EXPECT_EQ(model->graph().initializer(0).dims(1), 1);
}

TEST(OnnxLayersTest, ShapesOfValuesBetweenAreLeftOut) {
  TestFolder folder;
  // A second graph is merged into the first: one value_info more.
  const std::string file =
      WithRelu().model().SerializeAsString() +
      ShortField(7, ShortField(13, ShortField(1, "between")));
  const auto layers = OnnxLayers::Read(folder.Write("model.onnx", file));
  ASSERT_TRUE(layers.ok()) << layers.status();
  const auto bytes = layers->Bytes({});
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_THAT(file, HasSubstr("between"));
  EXPECT_THAT(*bytes, Not(HasSubstr("between")));
}

TEST(OnnxLayersTest, ConstantsAmongTheInputsAreCutThereToo) {
  ModelBuilder builder = WithRelu();
  builder.Input("w1", {.sizes = {2, 3}}).Input("b1", {.sizes = {3}});
  OnnxLayers layers = LayersOf(builder.model());
  layers.Keep(0, std::vector<std::size_t>{0, 2});
  const auto bytes = layers.Bytes({});
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto model = ParseOnnx(*bytes);
  ASSERT_TRUE(model.ok()) << model.status();
  const auto& input = model->graph().input(1);
  EXPECT_EQ(input.name(), "w1");
  EXPECT_EQ(input.type().tensor_type().shape().dim(0).dim_value(), 2);
  EXPECT_EQ(input.type().tensor_type().shape().dim(1).dim_value(), 2);
}

TEST(OnnxLayersTest, ExternalDataComesIntoTheFile) {
  const auto layers =
      OnnxLayers::Read("tests/testdata/quirks/external_data/model.onnx");
  ASSERT_TRUE(layers.ok()) << layers.status();
  const auto bytes = layers->Bytes({});
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto model = ParseOnnx(*bytes);
  ASSERT_TRUE(model.ok()) << model.status();
  for (const onnx::TensorProto& tensor : model->graph().initializer()) {
    EXPECT_NE(tensor.data_location(), onnx::TensorProto::EXTERNAL);
  }
  EXPECT_TRUE(layers->Import().ok());
}

TEST(OnnxLayersTest, InputsAreChosenByAGather) {
  TestFolder folder;
  auto layers = OnnxLayers::Read(folder.Write("model.onnx", WithRelu().model()),
                                 /*with_inputs=*/true);
  ASSERT_TRUE(layers.ok()) << layers.status();
  ASSERT_EQ(layers->size(), 3U);
  EXPECT_EQ(layers->layer(0).node, "x");
  EXPECT_TRUE(layers->layer(0).is_input);
  EXPECT_EQ(layers->layer(0).neurons, 2U);
  EXPECT_THAT(layers->layer(0).reader_outputs, ElementsAre(3));
  layers->Keep(1, std::vector<std::size_t>{0, 2});
  EXPECT_THAT(layers->layer(0).reader_outputs, ElementsAre(2));
  layers->Keep(0, std::vector<std::size_t>{1});
  EXPECT_EQ(layers->layer(1).inputs, 1U);
  const auto graph = layers->Import();
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->values[graph->inputs[0]].shape, (Shape{kBatchDim, 2}));
  EXPECT_EQ(graph->nodes[0].op, Operator::kGather);
  EXPECT_THAT(ConstantOf(*graph, "x_kept_indices").As<std::int64_t>(),
              ElementsAre(1));
  EXPECT_THAT(FloatsOf(*graph, "w1"), ElementsAre(4, 6));
}

TEST(OnnxLayersTest, FileThatIsMissingIsNotFound) {
  EXPECT_EQ(OnnxLayers::Read("/nonexistent/model.onnx").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace relu
