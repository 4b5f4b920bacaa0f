#include "core/plan/compiled_model.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(CompiledModelTest, SignaturesNameTypeAndRow) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 3}, DataType::kFp16);
  const ValueId i = builder.Input("i", {4}, DataType::kInt64);
  const ValueId table = builder.Constant(FloatTensor({2}, {5, 6}));
  builder.Output(x);
  builder.Output(builder.Node(Operator::kGather, {table, i}, {.row_shape = {4}},
                              {{"axis", std::int64_t{0}}}));
  Graph graph = builder.Build();
  graph.fixed_rows = 7;
  const CompiledModel model = CompileOrDie(graph);
  ASSERT_EQ(model.inputs().size(), 2U);
  EXPECT_EQ(model.inputs()[0].name, "x");
  EXPECT_EQ(model.inputs()[0].type, DataType::kFp16);
  EXPECT_EQ(model.inputs()[0].row_shape, (Shape{2, 3}));
  EXPECT_EQ(model.inputs()[0].row_bytes, 12U);
  EXPECT_EQ(model.inputs()[1].row_bytes, 32U);
  ASSERT_EQ(model.outputs().size(), 2U);
  EXPECT_EQ(model.outputs()[0].row_bytes, 12U);
  EXPECT_EQ(model.outputs()[1].row_shape, (Shape{4}));
  EXPECT_EQ(model.fixed_rows(), 7);
}

TEST(CompiledModelTest, DescribeHasOneLineForEachStep) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {3});
  const ValueId w = builder.Constant(FloatTensor({3, 2}, {1, 2, 3, 4, 5, 6}));
  const ValueId b = builder.Constant(FloatTensor({2}, {1, 2}));
  const ValueId h = builder.Unary(Operator::kRelu, builder.Gemm(x, w, b));
  builder.Output(builder.Softmax(h, 1));
  EXPECT_EQ(CompileOrDie(builder.Build()).Describe(),
            "dense 3 -> 2, relu\nsoftmax 2\n");
}

TEST(CompiledModelTest, SecondRunOnTheSameInputsGivesTheSameAnswers) {
  GraphBuilder builder;
  ValueId value = builder.Input("x", {3});
  for (int i = 0; i < 6; ++i) {  // Long enough to use memory again.
    value = builder.Unary(Operator::kTanh, value);
  }
  builder.Output(value);
  const CompiledModel model = CompileOrDie(builder.Build());
  Workspace workspace(model, /*max_rows=*/2);
  const Tensor input = FloatTensor({2, 3}, {1, 2, 3, -4, -5, -6});
  workspace.CopyIn(0, 0, 2, input.bytes().data());
  Tensor first(DataType::kFp32, {2, 3});
  Tensor second(DataType::kFp32, {2, 3});
  model.Run(2, workspace);
  workspace.CopyOut(0, 0, 2, first.bytes().data());
  model.Run(2, workspace);
  workspace.CopyOut(0, 0, 2, second.bytes().data());
  EXPECT_TRUE(SameBits(first, second));
}

TEST(CompiledModelTest, RunOfFewerRowsThanFitGivesTheSameBits) {
  const absl::StatusOr<Graph> graph =
      ImportOnnx("tests/testdata/models/wine/model.onnx");
  ASSERT_TRUE(graph.ok()) << graph.status();
  const CompiledModel model = CompileOrDie(*graph);
  const auto reference = LoadReference("tests/testdata/models/wine");
  ASSERT_TRUE(reference.ok()) << reference.status();
  const Tensor rows = SliceRows(reference->inputs.at("input"), 0, 2);
  Workspace large(model, /*max_rows=*/64);
  large.CopyIn(0, 0, 2, rows.bytes().data());
  model.Run(2, large);
  Tensor output(DataType::kFp32, {2, 3});
  large.CopyOut(0, 0, 2, output.bytes().data());
  EXPECT_TRUE(
      SameBits(output, RunPlan(model, OneTensor(rows.Clone())).outputs[0]));
}

// The first rows of digits_mlp: the bits of its ten logits, in hexadecimal. A
// change of these is a change of every answer that was ever given: allowed only
// with a new numeric contract.
TEST(CompiledModelTest, GoldenBitsOfDigitsStayTheSame) {
  const absl::StatusOr<Graph> graph =
      ImportOnnx("tests/testdata/models/digits_mlp/model.onnx");
  ASSERT_TRUE(graph.ok()) << graph.status();
  const auto reference = LoadReference("tests/testdata/models/digits_mlp");
  ASSERT_TRUE(reference.ok()) << reference.status();
  const CompiledModel model = CompileOrDie(*graph);
  const PlanRun run =
      RunPlan(model, OneTensor(SliceRows(reference->inputs.at("input"), 0, 1)));
  std::vector<std::uint32_t> found;
  for (const float value : run.outputs[0].As<float>()) {
    found.push_back(std::bit_cast<std::uint32_t>(value));
  }
  std::ifstream file("tests/testdata/golden_models/digits_mlp_row0.txt");
  std::vector<std::uint32_t> wanted;
  for (std::string word; file >> word;) {
    wanted.push_back(static_cast<std::uint32_t>(std::stoul(word, nullptr, 16)));
  }
  EXPECT_EQ(found, wanted);
}

// In models of several layers, whose buffers share memory.
TEST(CompiledModelTest, ObservedRunHasTheSameBitsAndShowsEachActivation) {
  for (const std::string name :
       {"digits_mlp", "mnist_256x128", "digits_leaky_prelu_elu"}) {
    const std::string folder = "tests/testdata/models/" + name;
    const absl::StatusOr<Graph> graph = ImportOnnx(folder + "/model.onnx");
    ASSERT_TRUE(graph.ok()) << graph.status();
    const auto reference = LoadReference(folder);
    ASSERT_TRUE(reference.ok()) << reference.status();
    const CompiledModel model = CompileOrDie(*graph);
    constexpr std::int64_t kRows = 5;
    const Tensor rows = SliceRows(reference->inputs.begin()->second, 0, kRows);
    Workspace workspace(model, kRows);
    workspace.CopyIn(0, 0, kRows, rows.bytes().data());
    std::vector<std::size_t> seen;
    bool any_on = false;
    model.RunObserved(kRows, workspace, [&](std::size_t layer) {
      seen.push_back(layer);
      const auto neurons = model.ActivationRow(layer, kRows - 1, workspace);
      EXPECT_EQ(neurons.size(), model.activations()[layer].neurons);
      for (const float value : neurons) {
        any_on = any_on || value > 0;
      }
    });
    EXPECT_TRUE(any_on);
    std::vector<std::size_t> all(model.activations().size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    EXPECT_EQ(seen, all) << name;
    EXPECT_GE(seen.size(), 2U) << name;
    const PlanRun wanted = RunPlan(model, OneTensor(rows.Clone()));
    Tensor found(DataType::kFp32, wanted.outputs[0].shape());
    workspace.CopyOut(0, 0, kRows, found.bytes().data());
    EXPECT_TRUE(SameBits(found, wanted.outputs[0])) << name;
  }
}

}  // namespace
}  // namespace relu
