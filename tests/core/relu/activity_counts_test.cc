#include "core/relu/activity_counts.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/relu/layer_profile.h"
#include "core/relu/leaf_rows.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/activity_testing.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"
#include "tests/support/npy.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

// All rows of a tensor, in passes of `step` rows.
ActivityCounts Count(const CompiledModel& model, const Tensor& rows,
                     std::int64_t step, ActivityPass& pass) {
  ActivityCounts counts(model);
  const std::int64_t count = rows.shape()[0];
  for (std::int64_t first = 0; first < count; first += step) {
    const std::byte* const inputs[] = {rows.bytes().data() +
                                       static_cast<std::size_t>(first) *
                                           model.inputs()[0].row_bytes};
    pass.Run(std::min(step, count - first), inputs, counts);
  }
  return counts;
}

// relu(2 x0 - x1 + 1, -x0 + x1), by hand.
TEST(ActivityCountsTest, NeuronsAndInputsOfTwoNeurons) {
  const CompiledModel model = CompileActivity(TwoNeurons());
  ActivityPass pass(model, 4);
  const ActivityCounts counts = Count(
      model, FloatTensor({3, 2}, {1, 0, 0, 3, 0.5F, 1}), /*step=*/2, pass);
  // h of the rows: (3, 0), (0, 3), (1, 0.5).
  EXPECT_EQ(counts.rows, 3);
  ASSERT_EQ(counts.layers.size(), 1U);
  EXPECT_THAT(counts.layers[0].on, ElementsAre(2, 2));
  EXPECT_THAT(counts.layers[0].sum, ElementsAre(4.0, 3.5));
  EXPECT_THAT(counts.layers[0].squares, ElementsAre(10.0, 9.25));
  EXPECT_THAT(counts.layers[0].largest, ElementsAre(3.0F, 3.0F));
  EXPECT_EQ(counts.layers[0].dead(), 0);
  EXPECT_EQ(counts.layers[0].always_on(3), 0);
  EXPECT_THAT(counts.input_sum, ElementsAre(1.5, 4.0));
  EXPECT_THAT(counts.input_squares, ElementsAre(1.25, 10.0));
  EXPECT_THAT(counts.input_fourths, ElementsAre(1.0625, 82.0));
}

TEST(ActivityCountsTest, InputsAreCountedFromTheReference) {
  const CompiledModel model = CompileActivity(TwoNeurons());
  ActivityPass pass(model, 4, {0.5, 1.0});
  const ActivityCounts counts =
      Count(model, FloatTensor({2, 2}, {1, 0, 0, 3}), /*step=*/4, pass);
  EXPECT_THAT(counts.input_sum, ElementsAre(0.0, 1.0));
  EXPECT_THAT(counts.input_squares, ElementsAre(0.5, 5.0));
}

// The same of real models, by the network that explains them, which shares no
// step with the plan.
TEST(ActivityCountsTest, FiringOfRealModelsIsThatOfThePiecewiseNetwork) {
  for (const std::string name : {"digits_mlp", "mnist_256x128"}) {
    const std::string folder = "tests/testdata/models/" + name;
    const absl::StatusOr<Graph> graph = ImportOnnx(folder + "/model.onnx");
    ASSERT_TRUE(graph.ok()) << graph.status();
    const auto reference = LoadReference(folder);
    ASSERT_TRUE(reference.ok()) << reference.status();
    const Tensor rows = SliceRows(reference->inputs.begin()->second, 0, 40);
    const PiecewiseNetwork network = LowerOrDie(*graph);
    std::vector<Tensor> tensors;
    tensors.push_back(rows.Clone());
    const auto read = ReadInputRows(network, tensors, "input");
    ASSERT_TRUE(read.ok()) << read.status();
    const auto profiles = ProfileActivations(network, *read);
    ASSERT_TRUE(profiles.ok()) << profiles.status();

    const CompiledModel model = CompileActivity(*graph);
    ActivityPass pass(model, 16);
    const ActivityCounts counts = Count(model, rows, /*step=*/16, pass);
    ASSERT_EQ(counts.layers.size(), profiles->size()) << name;
    for (std::size_t i = 0; i < counts.layers.size(); ++i) {
      EXPECT_EQ(counts.layers[i].on, (*profiles)[i].on) << name << ' ' << i;
    }
  }
}

// Numbers that NumPy has computed: tests/core/relu/make_golden.py.
class ActivityGoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(ActivityGoldenTest, AgreesWithNumPy) {
  constexpr std::int64_t kRows = 40;
  const auto reference = LoadReference("tests/testdata/models/" + GetParam());
  ASSERT_TRUE(reference.ok()) << reference.status();
  const absl::StatusOr<Graph> graph = ImportOnnx(reference->onnx);
  ASSERT_TRUE(graph.ok()) << graph.status();
  const CompiledModel model = CompileActivity(*graph);
  std::vector<const std::byte*> inputs;
  for (const TensorSignature& input : model.inputs()) {
    inputs.push_back(reference->inputs.at(input.name).bytes().data());
  }
  ActivityPass pass(model, kRows);
  ActivityCounts counts(model);
  pass.Run(kRows, inputs, counts);

  const auto golden = [](const std::string& name) {
    return ReadNpy("tests/testdata/activity/" + GetParam() + "/" + name +
                   ".npy")
        .value();
  };
  const Tensor on = golden("on");
  const Tensor sum = golden("sum");
  const Tensor squares = golden("squares");
  const Tensor largest = golden("largest");
  std::size_t at = 0;
  for (std::size_t i = 0; i < counts.layers.size(); ++i) {
    if (model.activations()[i].function != "Relu") {
      continue;
    }
    const LayerCounts& layer = counts.layers[i];
    for (std::size_t j = 0; j < layer.on.size(); ++j, ++at) {
      EXPECT_EQ(layer.on[j], on.As<std::int64_t>()[at]) << at;
      EXPECT_NEAR(layer.sum[j], sum.As<double>()[at],
                  1e-5 * (1 + sum.As<double>()[at]))
          << at;
      EXPECT_NEAR(layer.squares[j], squares.As<double>()[at],
                  1e-5 * (1 + squares.As<double>()[at]))
          << at;
      EXPECT_NEAR(double{layer.largest[j]}, largest.As<double>()[at], 1e-5)
          << at;
    }
  }
  EXPECT_EQ(at, on.As<std::int64_t>().size());
}

INSTANTIATE_TEST_SUITE_P(Models, ActivityGoldenTest,
                         testing::Values("credit_embed", "digits_mlp"),
                         [](const auto& test) { return test.param; });

TEST(ActivityCountsTest, NeuronsAtTheirUpperBoundAreSaturated) {
  GraphBuilder builder;
  builder.Output(builder.Node(Operator::kClip, {builder.Input("x", {3})},
                              {.row_shape = {3}},
                              {{"min", 0.0F}, {"max", 6.0F}}));
  const CompiledModel model = CompileActivity(builder.Build());
  ActivityPass pass(model, 2);
  const ActivityCounts counts =
      Count(model, FloatTensor({2, 3}, {7, 1, -1, 6, 9, -2}), 2, pass);
  EXPECT_THAT(counts.layers[0].saturated, ElementsAre(2, 1, 0));
  EXPECT_EQ(counts.layers[0].always_saturated(2), 1);
  EXPECT_EQ(counts.layers[0].always_on(2), 2);
  EXPECT_EQ(counts.layers[0].dead(), 1);
}

TEST(ActivityCountsTest, RowsThatAreNotFiniteCountNowhereElse) {
  const CompiledModel model = CompileActivity(TwoNeurons());
  ActivityPass pass(model, 4);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const ActivityCounts counts =
      Count(model, FloatTensor({3, 2}, {nan, 0, 1, 0, 0, infinity}), 3, pass);
  EXPECT_EQ(counts.rows, 1);
  EXPECT_EQ(counts.nonfinite_rows, 2);
  EXPECT_THAT(counts.layers[0].on, ElementsAre(1, 0));
  EXPECT_THAT(counts.input_sum, ElementsAre(1.0, 0.0));
}

TEST(ActivityCountsTest, SumsOfParts) {
  const CompiledModel model = CompileActivity(TwoNeurons());
  ActivityPass pass(model, 4);
  const Tensor rows = FloatTensor({3, 2}, {1, 0, 0, 3, 0.5F, 1});
  ActivityCounts twice = Count(model, rows, 2, pass);
  twice.Add(Count(model, rows, 3, pass));
  EXPECT_EQ(twice.rows, 6);
  EXPECT_THAT(twice.layers[0].on, ElementsAre(4, 4));
  EXPECT_THAT(twice.layers[0].largest, ElementsAre(3.0F, 3.0F));
  EXPECT_THAT(twice.input_squares, ElementsAre(2.5, 20.0));
  twice.Clear();
  EXPECT_EQ(twice.rows, 0);
  EXPECT_THAT(twice.layers[0].sum, ElementsAre(0.0, 0.0));
  EXPECT_GT(twice.bytes(), 0U);
}

TEST(ActivityCountsTest, ElementsOfEveryTypeAreRead) {
  GraphBuilder builder;
  builder.Output(builder.Input("i", {2}, DataType::kInt64));
  const CompiledModel model = CompileActivity(builder.Build());
  EXPECT_EQ(InputElements(model), 2U);
  const Tensor row = Int64Tensor({1, 2}, {-3, 40});
  std::vector<double> elements(2);
  ReadElements(model.inputs()[0], row.bytes().data(), elements);
  EXPECT_THAT(elements, ElementsAre(-3, 40));
}

}  // namespace
}  // namespace relu
