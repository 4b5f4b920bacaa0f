#include "core/plan/compiler.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Status CompileStatus(const Graph& graph) {
  return CompiledModel::Compile(graph).status();
}

// A value of the same type in another shape.
ValueId Reshape(GraphBuilder& builder, ValueId value, Shape row_shape) {
  const DataType type = builder.value(value).type;
  return builder.Node(Operator::kReshape, {value},
                      {.row_shape = std::move(row_shape), .type = type});
}

TEST(CompilerTest, DeadNodesAreLeftOutEvenWhenNotSupported) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.MatMul(x, x);
  builder.Output(builder.Unary(Operator::kRelu, x));
  EXPECT_EQ(CompileOrDie(builder.Build()).Describe(), "relu 2\n");
}

TEST(CompilerTest, ReshapeAndFlattenAreNoSteps) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 3});
  const ValueId flat =
      builder.Node(Operator::kFlatten, {x}, {.row_shape = {6}});
  builder.Output(Reshape(builder, flat, {3, 2}));
  const CompiledModel model = CompileOrDie(builder.Build());
  EXPECT_EQ(model.Describe(), "");
  EXPECT_EQ(model.outputs()[0].row_shape, (Shape{3, 2}));
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({1, 2, 3}, {1, 2, 3, 4, 5, 6})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(CompilerTest, OutputsMayBeInputsAndShareOneValue) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId y = builder.Unary(Operator::kRelu, x);
  builder.Output(x);
  builder.Output(y);
  builder.Output(y);
  builder.Output(Reshape(builder, y, {1, 2}));
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              OneTensor(FloatTensor({1, 2}, {-1, 2})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(-1, 2));
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_THAT(run.outputs[i].As<float>(), ElementsAre(0, 2));
  }
}

TEST(CompilerTest, BranchesBothGetTheValueBeforeRelu) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 1}, {1}));
  const ValueId b = builder.Constant(FloatTensor({1}, {0}));
  const ValueId minus = builder.Constant(FloatTensor({}, {-1}));
  const ValueId h = builder.Gemm(x, w, b);
  const ValueId positive = builder.Unary(Operator::kRelu, h);
  const ValueId negative =
      builder.Unary(Operator::kRelu, builder.Binary(Operator::kMul, h, minus));
  builder.Output(builder.Binary(Operator::kSub, positive, negative));
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              OneTensor(FloatTensor({3, 1}, {-3, 0, 5})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(-3, 0, 5));
}

TEST(CompilerTest, FusedReluHasTheBitsOfReluByItself) {
  const auto run = [](bool prevent_fusion) {
    GraphBuilder builder;
    std::vector<float> weights(15);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] = static_cast<float>(i % 7) * 0.37F - 1.0F;
    }
    const ValueId x = builder.Input("x", {3});
    const ValueId w = builder.Constant(FloatTensor({3, 5}, weights));
    const ValueId b =
        builder.Constant(FloatTensor({5}, {0.1F, -0.2F, 0.3F, -0.0F, 1}));
    const ValueId sum = builder.Binary(Operator::kAdd, builder.MatMul(x, w), b);
    builder.Output(builder.Unary(Operator::kRelu, sum));
    if (prevent_fusion) {
      builder.Output(sum);
    }
    const CompiledModel model = CompileOrDie(builder.Build());
    EXPECT_EQ(model.Describe(), prevent_fusion ? "dense 3 -> 5\nrelu 5\n"
                                               : "dense 3 -> 5, relu\n");
    PlanRun result = RunPlan(
        model, OneTensor(FloatTensor({2, 3}, {0.5F, -7, 3, 0, -0.0F, 0})));
    return std::move(result.outputs[0]);
  };
  EXPECT_TRUE(SameBits(run(false), run(true)));
}

TEST(CompilerTest, UnusedInputIsTakenAndIgnored) {
  GraphBuilder builder;
  builder.Input("unused", {3}, DataType::kFp16);
  const ValueId x = builder.Input("x", {1});
  builder.Output(builder.Unary(Operator::kRelu, x));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run = RunPlan(model, TwoTensors(Tensor(DataType::kFp16, {1, 3}),
                                                FloatTensor({1, 1}, {4})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(4));
}

TEST(CompilerTest, HalfValuesAreFloat32InsideAndRoundedOnceAtTheEnd) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1}, DataType::kFp16);
  Tensor step(DataType::kFp16, {1});
  step.As<std::uint16_t>()[0] = FloatToFp16(0x1p-11F);
  const ValueId half_ulp = builder.Constant(std::move(step));
  // One and half a unit in the last place of FP16, twice: rounded between the
  // additions it would stay 1.
  const ValueId once = builder.Binary(Operator::kAdd, x, half_ulp);
  builder.Output(builder.Binary(Operator::kAdd, once, half_ulp));
  const CompiledModel model = CompileOrDie(builder.Build());
  EXPECT_EQ(model.Describe(),
            "cast 1 FP16 to FP32\nadd 1, with a constant\n"
            "add 1, with a constant\ncast 1 FP32 to FP16\n");
  Tensor one(DataType::kFp16, {1, 1});
  one.As<std::uint16_t>()[0] = FloatToFp16(1);
  const PlanRun run = RunPlan(model, OneTensor(std::move(one)));
  EXPECT_EQ(Fp16ToFloat(run.outputs[0].As<std::uint16_t>()[0]), 1 + 0x1p-10F);
}

TEST(CompilerTest, HalfInputThatIsAnOutputKeepsItsBits) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1}, DataType::kBf16);
  builder.Output(Reshape(builder, x, {1, 1}));
  Tensor input(DataType::kBf16, {1, 1});
  input.As<std::uint16_t>()[0] = 0x7f81;  // A NaN that rounding would change.
  const PlanRun run =
      RunPlan(CompileOrDie(builder.Build()), OneTensor(std::move(input)));
  EXPECT_EQ(run.outputs[0].As<std::uint16_t>()[0], 0x7f81);
}

TEST(CompilerTest, DoublesAreFloatsInsideOfThePlan) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1}, DataType::kFp64);
  builder.Output(builder.Unary(Operator::kNeg, x));
  const CompiledModel model = CompileOrDie(builder.Build());
  EXPECT_EQ(model.Describe(),
            "cast 1 FP64 to FP32\nneg 1\ncast 1 FP32 to FP64\n");
  Tensor input(DataType::kFp64, {1, 1});
  input.As<double>()[0] = 1.0 / 3.0;
  const PlanRun run = RunPlan(model, OneTensor(std::move(input)));
  EXPECT_THAT(run.outputs[0].As<double>(),
              ElementsAre(static_cast<double>(-1.0F / 3.0F)));
}

TEST(CompilerTest, ActivationsWorkInPlaceWhereNothingElseNeedsTheValue) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {16});
  const ValueId a = builder.Unary(Operator::kTanh, x);
  const ValueId b = builder.Unary(Operator::kExp, a);
  const ValueId c = builder.Unary(Operator::kSigmoid, b);
  builder.Output(c);
  builder.Output(builder.Binary(Operator::kAdd, b, x));
  const CompiledModel model = CompileOrDie(builder.Build());
  const float zero = 0.0F;
  const PlanRun run = RunPlan(
      model, OneTensor(FloatTensor({1, 16}, std::vector<float>(16, zero))));
  EXPECT_FLOAT_EQ(run.outputs[0].As<float>()[0],
                  1.0F / (1.0F + std::exp(-1.0F)));
  EXPECT_THAT(run.outputs[1].As<float>()[0], 1.0F);
}

TEST(CompilerTest, PartsOfAConcatenationAreComputedInPlace) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {3});
  const ValueId a = builder.Unary(Operator::kNeg, x);
  const ValueId b = builder.Unary(Operator::kAbs, x);
  const ValueId inner =
      builder.Node(Operator::kConcat, {a, b}, {.row_shape = {6}},
                   {{"axis", std::int64_t{1}}});
  const ValueId outer =
      builder.Node(Operator::kConcat, {b, inner}, {.row_shape = {9}},
                   {{"axis", std::int64_t{1}}});
  builder.Output(outer);
  const CompiledModel model = CompileOrDie(builder.Build());
  EXPECT_EQ(model.Describe(), "neg 3\nabs 3\nconcat 1 parts to 24 bytes\n");
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({2, 3}, {1, -2, 3, -4, 5, -6})));
  EXPECT_THAT(run.outputs[0].As<float>(),
              ElementsAre(1, 2, 3, -1, 2, -3, 1, 2, 3,  //
                          4, 5, 6, 4, -5, 6, 4, 5, 6));
}

TEST(CompilerTest, NodeWithoutAStepGoesThroughTheInterpreter) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1}, DataType::kInt32);
  builder.Output(builder.Unary(Operator::kNeg, x));
  EXPECT_EQ(CompileOrDie(builder.Build()).Describe(), "interpret Neg\n");
}

TEST(CompilerTest, CompileIsUnimplementedWhenOutputIsTheSameForAllRows) {
  GraphBuilder builder;
  builder.Input("x", {1});
  builder.Output(builder.Constant(FloatTensor({1}, {1})));
  EXPECT_EQ(CompileStatus(builder.Build()).code(),
            absl::StatusCode::kUnimplemented);
}

TEST(CompilerTest, CompileIsUnimplementedWhenARowIsTooLarge) {
  const auto compile = [](std::int64_t elements) {
    GraphBuilder builder;
    builder.Output(builder.Input("x", {elements}));
    return CompileStatus(builder.Build());
  };
  const std::int64_t most = kMaxWorkspaceRowBytes / sizeof(float);
  EXPECT_TRUE(compile(most - 16).ok());  // One cache line less.
  EXPECT_EQ(compile(most + 1).code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(compile(INT64_MAX).code(), absl::StatusCode::kUnimplemented);
}

TEST(CompilerTest, CompileIsUnimplementedWhenAllValuesOfARowAreTooLarge) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {3'000'000});
  builder.Output(builder.Unary(Operator::kRelu, x));
  const absl::Status status = CompileStatus(builder.Build());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("24000000 bytes"));
}

TEST(CompilerTest, CompileIsUnimplementedWhenSmallConstantsGrowTooLarge) {
  GraphBuilder builder;
  const ValueId one = builder.Constant(FloatTensor({}, {1}));
  ValueId value = builder.Input("x", {1'000'000});
  for (int i = 0; i < 10; ++i) {  // Each expands to 4 MB.
    value = builder.Binary(Operator::kAdd, value, one);
  }
  builder.Output(value);
  const absl::Status status = CompileStatus(builder.Build());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("node_8"));
}

TEST(CompilerTest, ValuesWithoutElementsNeedNoSteps) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {0});
  builder.Output(builder.Unary(Operator::kRelu, x));
  const CompiledModel model = CompileOrDie(builder.Build());
  EXPECT_EQ(model.Describe(), "");
  EXPECT_EQ(
      RunPlan(model, OneTensor(FloatTensor({2, 0}, {}))).outputs[0].shape(),
      (Shape{2, 0}));
}

// a times b, two inputs of [size, size] without a batch dimension.
Graph StaticProduct(std::int64_t size) {
  GraphBuilder builder;
  const ValueId a = builder.Input("a", {size});
  const ValueId b = builder.Input("b", {size});
  builder.Output(
      builder.Node(Operator::kMatMul, {a, b}, {.row_shape = {size}}));
  Graph graph = builder.Build();
  graph.couples_rows = true;
  for (Value& value : graph.values) {
    value.shape = {size, size};
  }
  return graph;
}

TEST(CompilerTest, InterpretedGraphIsUnimplementedWhenItsValuesAreTooLarge) {
  EXPECT_TRUE(CompileStatus(StaticProduct(100)).ok());
  const absl::Status status = CompileStatus(StaticProduct(1 << 20));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("value \"a\""));
}

TEST(CompilerTest, TensorWithoutRowsCountsForEachOfThem) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Input("w", {1});
  builder.Output(builder.Binary(Operator::kMul, x, w));
  Graph graph = builder.Build();
  graph.couples_rows = true;
  graph.values[w].shape = {5'000'000, 1};
  const absl::Status status = CompileStatus(graph);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("of one row take"));
}

TEST(CompilerTest, InterpretedProductIsUnimplementedWhenItTakesTooLong) {
  const absl::Status status = CompileStatus(StaticProduct(2100));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("multiplications"));
}

}  // namespace
}  // namespace relu
