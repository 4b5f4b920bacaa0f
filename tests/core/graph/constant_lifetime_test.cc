// Constants are freed after their last use, or become what is computed of them;
// none before, whoever uses it.

#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

// More elements than are computed at a time; `w` is 2 everywhere.
ModelBuilder WithLargeConstant() {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 300}})
      .Floats("w", {300, 300}, std::vector<float>(90'000, 2));
  return builder;
}

// The graph of a good model.
Graph ImportConstants(ModelBuilder& builder) {
  absl::StatusOr<Graph> graph = ImportOnnx(builder.model(), "");
  EXPECT_TRUE(graph.ok()) << graph.status();
  return graph.ok() ? *std::move(graph) : Graph();
}

// The first elements of the constants that are left.
std::vector<float> FirstOfConstants(const Graph& graph) {
  std::vector<float> elements;
  for (const auto& constant : graph.constants) {
    elements.push_back(constant->As<float>()[0]);
  }
  return elements;
}

TEST(ConstantLifetimeTest, ConstantStaysAsItIsForNodesThatReadItLater) {
  ModelBuilder builder = WithLargeConstant();
  builder.Node("Neg", {"w"}, "a")
      .Node("Exp", {"w"}, "b")
      .Node("Mul", {"a", "b"}, "c")
      .Node("Add", {"c", "w"}, "d")
      .Node("MatMul", {"x", "d"}, "y")
      .Output("y");
  const Graph graph = ImportConstants(builder);
  EXPECT_THAT(FirstOfConstants(graph),
              ElementsAre(::testing::FloatNear(2 - 2 * std::exp(2.0F), 1e-4F)));
}

TEST(ConstantLifetimeTest, ConstantStaysForANodeOfTheGraph) {
  ModelBuilder builder = WithLargeConstant();
  builder.Node("MatMul", {"x", "w"}, "m")
      .Node("Neg", {"w"}, "a")
      .Node("MatMul", {"m", "a"}, "y")
      .Output("y");
  EXPECT_THAT(FirstOfConstants(ImportConstants(builder)), ElementsAre(2, -2));
}

TEST(ConstantLifetimeTest, ConstantStaysForItsOtherNames) {
  ModelBuilder builder = WithLargeConstant();
  builder.Node("Identity", {"w"}, "a")
      .Node("Dropout", {"a"}, "b")
      .Node("Neg", {"w"}, "c")
      .Node("Neg", {"a"}, "d")
      .Node("Sub", {"c", "d"}, "e")
      .Node("Add", {"b", "e"}, "f")
      .Node("MatMul", {"x", "f"}, "y")
      .Output("y");
  EXPECT_THAT(FirstOfConstants(ImportConstants(builder)), ElementsAre(2));
}

TEST(ConstantLifetimeTest, ConstantStaysForAnOutput) {
  ModelBuilder builder = WithLargeConstant();
  builder.Node("Neg", {"w"}, "a")
      .Node("Exp", {"a"}, "b")
      .Node("Identity", {"w"}, "c")
      .Node("MatMul", {"x", "b"}, "y")
      .Output("y")
      .Output("a")
      .Output("c");
  EXPECT_THAT(FirstOfConstants(ImportConstants(builder)),
              ElementsAre(2, -2, std::exp(-2.0F)));
}

TEST(ConstantLifetimeTest, ConstantStaysForBothUsesOfOneNode) {
  ModelBuilder builder = WithLargeConstant();
  builder.Node("Mul", {"w", "w"}, "a")
      .Node("Mul", {"a", "a"}, "b")
      .Node("MatMul", {"x", "b"}, "y")
      .Output("y");
  EXPECT_THAT(FirstOfConstants(ImportConstants(builder)), ElementsAre(16));
}

onnx::AttributeProto FloatsAttribute(std::string_view name, float value) {
  onnx::AttributeProto attribute;
  attribute.set_name(std::string(name));
  attribute.set_type(onnx::AttributeProto::FLOATS);
  attribute.add_floats(value);
  return attribute;
}

TEST(ConstantLifetimeTest, ConstantStaysForTheNodesOfATranslation) {
  ModelBuilder builder = WithLargeConstant();
  builder.Node("Scaler", {"w"}, "a",
               {FloatsAttribute("offset", 1), FloatsAttribute("scale", 7)});
  builder.last_node().set_domain("ai.onnx.ml");
  builder.Node("Sub", {"a", "w"}, "b")
      .Node("MatMul", {"x", "b"}, "y")
      .Output("y");
  EXPECT_THAT(FirstOfConstants(ImportConstants(builder)), ElementsAre(5));
}

TEST(ConstantLifetimeTest, ConstantsAreThereAgainForTheSecondReading) {
  ModelBuilder builder = WithLargeConstant();
  builder.graph().mutable_input()->Clear();
  builder.Input("x", {.sizes = {3, 300}})
      .Node("Neg", {"w"}, "a")
      .Node("MatMul", {"x", "a"}, "m")
      .Node("Softmax", {"m"}, "y", {IntAttributeProto("axis", 0)})
      .Output("y");
  const Graph graph = ImportConstants(builder);
  EXPECT_TRUE(graph.couples_rows);
  EXPECT_THAT(FirstOfConstants(graph), ElementsAre(-2));
}

}  // namespace
}  // namespace relu
