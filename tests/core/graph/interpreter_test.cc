#include "core/graph/interpreter.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/elements.h"
#include "core/graph/onnx_import.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"
#include "tests/support/graph_builder.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

std::vector<std::filesystem::path> ImportedFolders() {
  std::vector<std::filesystem::path> folders =
      ReferenceFolders("tests/testdata/models");
  for (auto& folder : ReferenceFolders("tests/testdata/quirks")) {
    folders.push_back(std::move(folder));
  }
  return folders;
}

// NaN meets NaN and infinity the same infinity.
bool IsNear(double found, double wanted, double tolerance) {
  return found == wanted || (std::isnan(found) && std::isnan(wanted)) ||
         std::abs(found - wanted) <= tolerance;
}

class ReferenceTest : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(ReferenceTest, InterpretGivesTheReferenceAnswers) {
  const auto reference = LoadReference(GetParam());
  ASSERT_TRUE(reference.ok()) << reference.status();
  const auto graph = ImportOnnx(reference->onnx);
  ASSERT_TRUE(graph.ok()) << graph.status();
  std::vector<Tensor> inputs;
  for (const ValueId input : graph->inputs) {
    inputs.push_back(reference->inputs.at(graph->values[input].name).Clone());
  }
  const auto outputs = Interpret(*graph, inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  ASSERT_EQ(outputs->size(), reference->outputs.size());
  for (std::size_t i = 0; i < outputs->size(); ++i) {
    const std::string& name = graph->values[graph->outputs[i]].name;
    const Tensor& wanted = reference->outputs.at(name);
    EXPECT_EQ((*outputs)[i].type(), wanted.type());
    ASSERT_EQ((*outputs)[i].shape(), wanted.shape());
    const auto found_values = ToDoubles((*outputs)[i]);
    const auto wanted_values = ToDoubles(wanted);
    for (std::size_t j = 0; j < found_values.size(); ++j) {
      ASSERT_TRUE(IsNear(found_values[j], wanted_values[j],
                         reference->tolerances.at(name)))
          << name << " element " << j << ": " << found_values[j] << ", wanted "
          << wanted_values[j];
    }
  }
}

std::string FolderName(
    const ::testing::TestParamInfo<std::filesystem::path>& parameter) {
  return parameter.param.filename().string();
}

INSTANTIATE_TEST_SUITE_P(Models, ReferenceTest,
                         ::testing::ValuesIn(ImportedFolders()), FolderName);

TEST(InterpreterTest, EveryReferenceModelIsThere) {
  EXPECT_GE(ImportedFolders().size(), 24U);
}

// y = relu(x) + 1, and the index of its greatest element.
Graph SmallGraph() {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {3});
  const ValueId one = builder.Constant(FloatTensor({}, {1}));
  const ValueId y =
      builder.Binary(Operator::kAdd, builder.Unary(Operator::kRelu, x), one);
  builder.Output(y);
  builder.Output(builder.Node(
      Operator::kArgMax, {y}, {.row_shape = {}, .type = DataType::kInt64},
      {{"axis", std::int64_t{1}}, {"select_last_index", std::int64_t{0}}}));
  return builder.Build();
}

std::vector<Tensor> One(Tensor tensor) {
  std::vector<Tensor> tensors;
  tensors.push_back(std::move(tensor));
  return tensors;
}

TEST(InterpreterTest, InterpretRunsNodesForAllRows) {
  const auto outputs =
      Interpret(SmallGraph(), One(FloatTensor({2, 3}, {-1, 0, 2, 5, -5, 0})));
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT((*outputs)[0].As<float>(), ElementsAre(1, 1, 3, 6, 1, 1));
  EXPECT_EQ((*outputs)[1].shape(), Shape{2});
  EXPECT_THAT((*outputs)[1].As<std::int64_t>(), ElementsAre(2, 0));
}

TEST(InterpreterTest, InterpretGivesInputsThatAreOutputs) {
  GraphBuilder builder;
  builder.Output(builder.Input("x", {1}));
  const auto outputs =
      Interpret(builder.Build(), One(FloatTensor({1, 1}, {7})));
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT((*outputs)[0].As<float>(), ElementsAre(7));
}

TEST(InterpreterTest, InterpretRefusesInputsThatDoNotFit) {
  const Graph graph = SmallGraph();
  for (const Shape& shape : {Shape{}, Shape{2}, Shape{2, 4}, Shape{0, 3}}) {
    EXPECT_THAT(Interpret(graph, One(Tensor(DataType::kFp32, shape))).status(),
                Fails(kInvalid, "input \"x\": FP32"));
  }
  EXPECT_THAT(Interpret(graph, One(Tensor(DataType::kFp64, {2, 3}))).status(),
              Fails(kInvalid, "FP64 [2,3], wanted FP32 [-1,3]"));
}

TEST(InterpreterTest, InterpretRefusesInputsWithDifferentRows) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {1});
  const ValueId b = builder.Input("b", {1});
  builder.Output(builder.Binary(Operator::kAdd, a, b));
  std::vector<Tensor> inputs = One(Tensor(DataType::kFp32, {2, 1}));
  inputs.emplace_back(DataType::kFp32, Shape{3, 1});
  EXPECT_THAT(Interpret(builder.Build(), inputs).status(),
              Fails(kInvalid, "input \"b\""));
}

TEST(InterpreterTest, InterpretFailsWhenARowHasNoAnswer) {
  GraphBuilder builder;
  const ValueId table = builder.Constant(FloatTensor({2, 1}, {1, 2}));
  const ValueId i = builder.Input("i", {}, DataType::kInt64);
  builder.Output(builder.Node(Operator::kGather, {table, i},
                              {.row_shape = {1}, .type = DataType::kFp32},
                              {{"axis", std::int64_t{0}}}));
  EXPECT_THAT(Interpret(builder.Build(), One(Int64Tensor({1}, {5}))).status(),
              Fails(kInvalid, "index 5, wanted -2 to 1"));
}

TEST(InterpreterTest, OptionalInputMayBeLeftOut) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 1}})
      .Floats("w", {1, 1}, {3})
      .Node("Gemm", {"x", "w", ""}, "y")
      .Output("y");
  const auto graph = ImportOnnx(builder.model(), "");
  ASSERT_TRUE(graph.ok()) << graph.status();
  const auto outputs = Interpret(*graph, One(FloatTensor({1, 1}, {2})));
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT((*outputs)[0].As<float>(), ElementsAre(6));
}

}  // namespace
}  // namespace relu
