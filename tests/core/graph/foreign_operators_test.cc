#include "core/graph/foreign_operators.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/status_macros.h"
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

TEST(ForeignOperatorsTest, ScalerTakesOffsetOffThenScales) {
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

TEST(ForeignOperatorsTest, LabelsOfRowsKeepRowsApart) {
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

TEST(ForeignOperatorsTest, FeatureExtractorGivesOneRowOfATable) {
  ModelBuilder builder = WithLabels();
  builder.Output("found");
  const auto graph = ImportOnnx(builder.model(), "");
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->values[graph->outputs[0]].shape, (Shape{1, kBatchDim}));
}

TEST(ForeignOperatorsTest, FeatureExtractorTakesColumns) {
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

TEST(ForeignOperatorsTest, OtherOperatorsAndAttributesAreRefused) {
  onnx::NodeProto other;
  other.set_domain("ai.onnx.ml");
  other.set_op_type("TreeEnsembleClassifier");
  EXPECT_THAT(TranslateNode(other, 2).status(),
              Fails(kUnimplemented, "export the network alone"));
  onnx::NodeProto scaler;
  scaler.set_domain("ai.onnx.ml");
  scaler.set_op_type("Scaler");
  scaler.add_input("x");
  scaler.add_output("y");
  *scaler.add_attribute() = IntAttributeProto("scale", 1);
  EXPECT_THAT(TranslateNode(scaler, 2).status(),
              Fails(kUnimplemented, "lists of floats"));
}

// FusedGemm of x[batch, 2] with weights [2, 2]: the sums are x0 - x1 and x1 -
// x0.
ModelBuilder WithFusedGemm(const std::string& activation,
                           std::vector<onnx::AttributeProto> attributes = {}) {
  attributes.push_back(StringAttributeProto("activation", activation));
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2}})
      .Floats("w", {2, 2}, {1, -1, -1, 1})
      .Node("FusedGemm", {"x", "w"}, "y", attributes)
      .Output("y");
  builder.last_node().set_domain("com.microsoft");
  return builder;
}

absl::StatusOr<std::vector<float>> RunFusedGemm(ModelBuilder builder,
                                                std::vector<float> row) {
  ASSIGN_OR_RETURN(const Graph graph, ImportOnnx(builder.model(), ""));
  std::vector<Tensor> inputs;
  inputs.push_back(FloatTensor({1, 2}, std::move(row)));
  ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, Interpret(graph, inputs));
  const auto values = outputs[0].As<float>();
  return std::vector<float>(values.begin(), values.end());
}

TEST(ForeignOperatorsTest, FusedGemmIsGemmAndItsActivation) {
  const auto relu = RunFusedGemm(WithFusedGemm("Relu"), {5, 2});
  ASSERT_TRUE(relu.ok()) << relu.status();
  EXPECT_THAT(*relu, ElementsAre(3, 0));
  const auto leaky = RunFusedGemm(
      WithFusedGemm("LeakyRelu", {FloatAttributeProto("activation_alpha", 0.5),
                                  FloatAttributeProto("alpha", 2)}),
      {5, 2});
  ASSERT_TRUE(leaky.ok()) << leaky.status();
  EXPECT_THAT(*leaky, ElementsAre(6, -3));
}

TEST(ForeignOperatorsTest, FusedGemmOfAnUnknownActivationIsUnimplemented) {
  EXPECT_THAT(ImportOnnx(WithFusedGemm("Affine").model(), "").status(),
              Fails(absl::StatusCode::kUnimplemented, "\"Affine\""));
}

}  // namespace
}  // namespace relu
