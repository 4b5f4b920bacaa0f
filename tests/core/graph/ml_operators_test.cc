#include "core/graph/ml_operators.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/interpreter.h"
#include "core/graph/onnx_import.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

onnx::AttributeProto FloatsAttributeProto(const std::string& name,
                                          const std::vector<float>& values) {
  onnx::AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::FLOATS);
  attribute.mutable_floats()->Add(values.begin(), values.end());
  return attribute;
}

TEST(MlOperatorsTest, ScalerTakesOffsetOffThenScales) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2}})
      .Node("Scaler", {"x"}, "y",
            {FloatsAttributeProto("scale", {2, 3}),
             FloatsAttributeProto("offset", {1, 1})})
      .Output("y");
  builder.last_node().set_domain("ai.onnx.ml");
  const auto graph = ImportOnnx(builder.model(), "");
  ASSERT_TRUE(graph.ok()) << graph.status();
  std::vector<Tensor> inputs;
  inputs.push_back(FloatTensor({1, 2}, {5, 6}));
  const auto outputs = Interpret(*graph, inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT((*outputs)[0].As<float>(), ElementsAre(8, 15));
}

// Labels of the greatest of x[batch, 3], as scikit-learn's exporter finds them.
ModelBuilder WithLabels() {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 3}})
      .Int64s("labels", {3}, {7, 8, 9})
      .Int64s("shape", {1}, {-1})
      .Node("ArgMax", {"x"}, "i", {IntAttributeProto("axis", 1)})
      .Node("ArrayFeatureExtractor", {"labels", "i"}, "found");
  builder.last_node().set_domain("ai.onnx.ml");
  return builder;
}

TEST(MlOperatorsTest, LabelsOfRowsKeepRowsApart) {
  ModelBuilder builder = WithLabels();
  builder.Node("Reshape", {"found", "shape"}, "y").Output("y");
  const auto graph = ImportOnnx(builder.model(), "");
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_FALSE(graph->couples_rows);
  std::vector<Tensor> inputs;
  inputs.push_back(FloatTensor({2, 3}, {0, 1, 0, 0, 0, 1}));
  const auto outputs = Interpret(*graph, inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT((*outputs)[0].As<std::int64_t>(), ElementsAre(8, 9));
}

TEST(MlOperatorsTest, FeatureExtractorGivesOneRowOfATable) {
  ModelBuilder builder = WithLabels();
  builder.Output("found");
  const auto graph = ImportOnnx(builder.model(), "");
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->values[graph->outputs[0]].shape, (Shape{1, kBatchDim}));
}

TEST(MlOperatorsTest, FeatureExtractorTakesColumns) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 3}})
      .Int64s("i", {1, 2}, {2, 0})
      .Node("ArrayFeatureExtractor", {"x", "i"}, "y")
      .Output("y");
  builder.last_node().set_domain("ai.onnx.ml");
  const auto graph = ImportOnnx(builder.model(), "");
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->values[graph->outputs[0]].shape, (Shape{kBatchDim, 2}));
}

TEST(MlOperatorsTest, OtherOperatorsAndAttributesAreRefused) {
  onnx::NodeProto other;
  other.set_domain("ai.onnx.ml");
  other.set_op_type("TreeEnsembleClassifier");
  EXPECT_THAT(TranslateMlNode(other, 2).status(),
              Fails(kUnimplemented, "export the network alone"));
  onnx::NodeProto scaler;
  scaler.set_domain("ai.onnx.ml");
  scaler.set_op_type("Scaler");
  scaler.add_input("x");
  scaler.add_output("y");
  *scaler.add_attribute() = IntAttributeProto("scale", 1);
  EXPECT_THAT(TranslateMlNode(scaler, 2).status(),
              Fails(kUnimplemented, "lists of floats"));
}

}  // namespace
}  // namespace relu
