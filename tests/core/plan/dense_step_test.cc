#include "core/plan/dense_step.h"

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
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
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

}  // namespace
}  // namespace relu
