#include "core/plan/dense_step.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/dense_layer.h"
#include "core/plan/self_check.h"
#include "core/plan/weight_memory.h"
#include "core/plan/workspace.h"
#include "core/plan/zero_skip.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

Tensor RandomTensor(Shape shape, std::uint32_t seed) {
  std::mt19937 random(seed);
  Tensor tensor(DataType::kFp32, std::move(shape));
  for (float& value : tensor.As<float>()) {
    value =
        static_cast<float>(static_cast<std::int64_t>(random() % 2001) - 1000) /
        512;
  }
  return tensor;
}

// The contract: one chain of fused multiply-adds in ascending order of k.
float Chain(const float* input, const Tensor& weights, float bias,
            std::size_t column) {
  const auto k = static_cast<std::size_t>(weights.shape()[0]);
  const auto n = static_cast<std::size_t>(weights.shape()[1]);
  float sum = bias;
  for (std::size_t i = 0; i < k; ++i) {
    sum = std::fma(input[i], weights.As<float>()[i * n + column], sum);
  }
  return sum + 0.0F;
}

// x [N, vectors, 5] times [5, 19], plus a bias.
CompiledModel DenseModel(std::int64_t vectors) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {vectors, 5});
  const ValueId w = builder.Constant(RandomTensor({5, 19}, 1));
  const ValueId b = builder.Constant(RandomTensor({19}, 2));
  builder.Output(builder.Binary(Operator::kAdd, builder.MatMul(x, w), b));
  return CompileOrDie(builder.Build());
}

TEST(DenseStepTest, EveryVectorOfEveryRowIsOneChainFromTheBias) {
  constexpr std::int64_t kVectors = 3;
  const CompiledModel model = DenseModel(kVectors);
  const Tensor weights = RandomTensor({5, 19}, 1);
  const Tensor bias = RandomTensor({19}, 2);
  // Fewer rows than vectors in a row, as many, and more.
  for (const std::int64_t rows : {1, 2, 3, 7}) {
    const Tensor input = RandomTensor({rows, kVectors, 5}, 3);
    const PlanRun run = RunPlan(model, OneTensor(input.Clone()));
    const auto output = run.outputs[0].As<float>();
    for (std::size_t i = 0; i < output.size(); ++i) {
      const std::size_t vector = i / 19;
      const float* values = input.As<float>().data() + vector * 5;
      ASSERT_EQ(output[i],
                Chain(values, weights, bias.As<float>()[i % 19], i % 19))
          << "element " << i << " of " << rows << " rows";
    }
  }
}

// x [N, 50] times [50, 37], plus a bias, with Relu.
Graph ReluLayer(float scale = 1) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {50});
  Tensor weights = RandomTensor({50, 37}, 1);
  for (float& weight : weights.As<float>()) {
    weight *= scale;
  }
  const ValueId w = builder.Constant(std::move(weights));
  const ValueId b = builder.Constant(RandomTensor({37}, 2));
  builder.Output(builder.Unary(Operator::kRelu, builder.Gemm(x, w, b)));
  return builder.Build();
}

TEST(DenseStepTest, Float16WeightsAreRoundedAndTheRestIsFloat32) {
  // Eleven bits hold the random weights exactly, but not a third of them.
  const Tensor input = RandomTensor({3, 50}, 3);
  for (const ZeroSkip skip : {ZeroSkip::kNever, ZeroSkip::kAlways}) {
    const CompileOptions half{.zero_skip = skip,
                              .weights = WeightStorage::kFloat16};
    const CompiledModel exact = CompileOrDie(ReluLayer(), half);
    EXPECT_TRUE(
        SameBits(RunPlan(exact, OneTensor(input.Clone())).outputs[0],
                 RunPlan(CompileOrDie(ReluLayer()), OneTensor(input.Clone()))
                     .outputs[0]));
    EXPECT_EQ(exact.Describe(), "dense 50 -> 37, float16 weights, relu\n");
    const Graph third = ReluLayer(1.0F / 3);
    const CompiledModel rounded = CompileOrDie(third, half);
    EXPECT_FALSE(SameBits(
        RunPlan(rounded, OneTensor(input.Clone())).outputs[0],
        RunPlan(CompileOrDie(third), OneTensor(input.Clone())).outputs[0]));
    EXPECT_TRUE(SelfCheck(third, rounded).ok());
  }
}

TEST(DenseStepTest, Float16WeightsTakeHalfTheMemory) {
  const auto bytes = [](WeightStorage weights) {
    return CompileOrDie(ReluLayer(),
                        {.zero_skip = ZeroSkip::kNever, .weights = weights})
        .weight_bytes();
  };
  const std::size_t bias = 48 * sizeof(float);
  EXPECT_EQ(bytes(WeightStorage::kFloat16) - bias,
            (bytes(WeightStorage::kFloat32) - bias) / 2);
}

TEST(DenseStepTest, WeightTooLargeForFloat16IsInvalid) {
  const auto model = CompiledModel::Compile(
      ReluLayer(1e5F), {.weights = WeightStorage::kFloat16});
  EXPECT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(model.status().message()),
              testing::HasSubstr("65504"));
}

TEST(DenseStepTest, SkippedZerosLeaveTheBitsAsTheyAre) {
  const Graph graph = ReluLayer();
  const CompiledModel dense =
      CompileOrDie(graph, {.zero_skip = ZeroSkip::kNever});
  const CompiledModel sparse =
      CompileOrDie(graph, {.zero_skip = ZeroSkip::kAlways});
  for (const std::int64_t rows : {1, 2, 16, 17, 100}) {
    Tensor input = RandomTensor({rows, 50}, 3);
    std::uint32_t i = 0;
    for (float& value : input.As<float>()) {
      value = ++i * 2654435761U >> 30U == 0 ? value : 0.0F;
    }
    EXPECT_TRUE(SameBits(RunPlan(sparse, OneTensor(input.Clone())).outputs[0],
                         RunPlan(dense, OneTensor(input.Clone())).outputs[0]))
        << rows;
  }
}

std::vector<float> Values(const Tensor& tensor) {
  return {tensor.As<float>().begin(), tensor.As<float>().end()};
}

// The output of a DenseStep with `limits` in place of that of ReluLayer().
Tensor RunReluLayer(const ZeroSkipLimits& limits, const Tensor& input) {
  DenseLayer layer;
  layer.k = 50;
  layer.n = 37;
  layer.weights = Values(RandomTensor({50, 37}, 1));
  layer.bias = Values(RandomTensor({37}, 2));
  layer.activation = kernels::Activation::kRelu;
  constexpr WeightStorage kStorage = WeightStorage::kFloat32;
  WeightMemory memory(DenseStep::PackedBytes(layer, kStorage));
  WeightMemory row_memory(DenseStep::PackedRowsBytes(layer, kStorage));
  DenseStep step(layer, kStorage,
                 {.input = {.index = 0, .stride = 64},
                  .output = {.index = 1, .stride = 48}},
                 memory, &row_memory);
  step.SetZeroSkip(limits);
  // For its buffers, and for scratch memory.
  const CompiledModel model =
      CompileOrDie(ReluLayer(), {.zero_skip = ZeroSkip::kAlways});
  const std::int64_t rows = input.shape()[0];
  Workspace workspace(model, rows);
  workspace.CopyIn(0, 0, rows, input.bytes().data());
  step.Run({.begin = 0, .end = rows}, workspace);
  return std::move(OutputsOf(model, workspace, rows).front());
}

TEST(DenseStepTest, RowsOneByOneGiveTheBitsOfRowsTogether) {
  // A row alone costs 1 ns, one of several 2 ns, and a dense one 100 ns.
  const ZeroSkipLimits one_by_one =
      ZeroSkipLimits::FromCosts({.dense = {100, 200, 400, 800, 1600},
                                 .sparse_alone = {1, 1, 1},
                                 .sparse_of_several = {2, 2, 2}},
                                /*k=*/50);
  ASSERT_TRUE(one_by_one.OneByOne());
  for (const std::int64_t rows : {1, 2, 17, 100}) {
    Tensor input = RandomTensor({rows, 50}, 3);
    std::uint32_t i = 0;
    for (float& value : input.As<float>()) {
      value = ++i * 2654435761U >> 30U == 0 ? value : 0.0F;
    }
    const Tensor dense = RunReluLayer(ZeroSkipLimits::Never(), input);
    EXPECT_TRUE(SameBits(RunReluLayer(one_by_one, input), dense)) << rows;
    EXPECT_TRUE(SameBits(RunReluLayer(ZeroSkipLimits::Always(), input), dense))
        << rows;
  }
}

TEST(DenseStepTest, DescribeNamesSizesActivationAndVectors) {
  EXPECT_EQ(DenseModel(1).Describe(), "dense 5 -> 19\n");
  EXPECT_EQ(DenseModel(4).Describe(), "dense 5 -> 19, 4 vectors a row\n");
}

TEST(DenseStepTest, WeightBytesCountsPaddedPanels) {
  // Two panels of 16 columns, each 5 deep, and 32 values of bias. Where a row
  // has several vectors, zeros are not skipped.
  EXPECT_EQ(DenseModel(2).weight_bytes(), (2U * 16 * 5 + 32) * 4);
}

TEST(DenseStepTest, LayerWithoutInputsGivesItsBias) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {0});
  const ValueId w = builder.Constant(FloatTensor({0, 2}, {}));
  const ValueId b = builder.Constant(FloatTensor({2}, {3, -4}));
  builder.Output(builder.Unary(Operator::kRelu, builder.Gemm(x, w, b)));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run = RunPlan(model, OneTensor(FloatTensor({2, 0}, {})));
  EXPECT_EQ(model.Describe(), "dense 0 -> 2, relu\n");
  EXPECT_TRUE(SameBits(run.outputs[0], FloatTensor({2, 2}, {3, 0, 3, 0})));
}

// A network whose first layer has 40 inputs and 70 outputs, or so.
Graph TwoLayers(std::int64_t outputs) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {40});
  const ValueId w = builder.Constant(RandomTensor({40, outputs}, 1));
  const ValueId b = builder.Constant(RandomTensor({outputs}, 2));
  const ValueId hidden = builder.Unary(Operator::kRelu, builder.Gemm(x, w, b));
  const ValueId last = builder.Constant(RandomTensor({outputs, 3}, 3));
  builder.Output(builder.MatMul(hidden, last));
  return builder.Build();
}

// The output where the workspace knows that rows begin .. end - 1 are alike.
Tensor RunAlike(const CompiledModel& model, const Tensor& input,
                std::int64_t begin, std::int64_t end) {
  const std::int64_t rows = input.shape()[0];
  Workspace workspace(model, rows);
  workspace.CopyIn(0, 0, rows, input.bytes().data());
  workspace.NoteAlike(begin, end - begin);
  model.Run(rows, workspace);
  return std::move(OutputsOf(model, workspace, rows).front());
}

// Rows of which the first `shared` inputs are the same in rows begin .. end-1.
Tensor Alike(std::int64_t rows, std::size_t shared, std::int64_t begin,
             std::int64_t end) {
  Tensor input = RandomTensor({rows, 40}, 4);
  float* const values = input.As<float>().data();
  for (std::int64_t row = begin; row < end; ++row) {
    std::copy_n(values + begin * 40, shared, values + row * 40);
  }
  return input;
}

TEST(DenseStepTest, WhatRowsShareLeavesTheBitsAsTheyAre) {
  for (const std::int64_t outputs : {5, 16, 70}) {  // 5: a narrow layer.
    for (const ZeroSkip skip : {ZeroSkip::kNever, ZeroSkip::kAlways}) {
      const CompiledModel model =
          CompileOrDie(TwoLayers(outputs), {.zero_skip = skip});
      for (std::size_t shared = 0; shared <= 40; shared += 4) {
        for (const std::int64_t rows : {2, 3, 20}) {
          const Tensor input = Alike(rows, shared, 0, rows);
          EXPECT_TRUE(
              SameBits(RunAlike(model, input, 0, rows),
                       RunPlan(model, OneTensor(input.Clone())).outputs[0]))
              << outputs << " outputs, " << shared << " shared, " << rows;
        }
      }
    }
  }
}

TEST(DenseStepTest, WhatRowsShareIsAddedUpOnce) {
  constexpr std::size_t kSharedInputs = 24;
  const Graph graph = TwoLayers(70);
  const CompiledModel model =
      CompileOrDie(graph, {.zero_skip = ZeroSkip::kNever});
  const Tensor input = Alike(5, kSharedInputs, 0, 5);
  Workspace workspace(model, 5);
  workspace.CopyIn(0, 0, 5, input.bytes().data());
  workspace.NoteAlike(0, 5);
  model.Run(5, workspace);
  // The sums where the rows went on from; the last layer, a narrow one, has
  // left them there.
  const float* const sums = workspace.Scratch<float>(0);
  const Tensor weights = RandomTensor({40, 70}, 1);
  const Tensor bias = RandomTensor({70}, 2);
  for (std::size_t j = 0; j < 70; ++j) {
    float sum = bias.As<float>()[j];
    for (std::size_t k = 0; k < kSharedInputs; ++k) {
      sum =
          std::fma(input.As<float>()[k], weights.As<float>()[k * 70 + j], sum);
    }
    ASSERT_EQ(sums[j], sum) << j;
  }
}

TEST(DenseStepTest, RowsThatShareNothingMayStandBesideThem) {
  const CompiledModel model = CompileOrDie(TwoLayers(70));
  for (std::int64_t begin = 0; begin < 9; ++begin) {
    for (std::int64_t end = begin + 1; end <= 9; ++end) {
      const Tensor input = Alike(9, 30, begin, end);
      EXPECT_TRUE(SameBits(RunAlike(model, input, begin, end),
                           RunPlan(model, OneTensor(input.Clone())).outputs[0]))
          << begin << " to " << end;
    }
  }
}

TEST(DenseStepTest, RowsThatOnlyLookAlikeAreComputedAllTheSame) {
  // Nothing is taken on trust: what is shared is what has the same bits.
  const CompiledModel model = CompileOrDie(TwoLayers(70));
  const Tensor input = RandomTensor({6, 40}, 5);
  EXPECT_TRUE(SameBits(RunAlike(model, input, 0, 6),
                       RunPlan(model, OneTensor(input.Clone())).outputs[0]));
}

TEST(DenseStepTest, SharedInputsOfFloat16WeightsLeaveTheBitsAsTheyAre) {
  const CompiledModel model = CompileOrDie(
      TwoLayers(70),
      {.zero_skip = ZeroSkip::kNever, .weights = WeightStorage::kFloat16});
  const Tensor input = Alike(20, 24, 0, 20);
  EXPECT_TRUE(SameBits(RunAlike(model, input, 0, 20),
                       RunPlan(model, OneTensor(input.Clone())).outputs[0]));
}

}  // namespace
}  // namespace relu
