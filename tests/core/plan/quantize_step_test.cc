#include "core/plan/quantize_step.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/interpreter.h"
#include "core/plan/plan_builder.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

Tensor IntegerTensor(DataType type, Shape shape,
                     const std::vector<std::int64_t>& elements) {
  return FromIntegers(type, shape, elements);
}

TEST(QuantizeStepTest, QuantizeRoundsTiesToEvenAndSaturates) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {8});
  const ValueId scale = builder.Constant(FloatTensor({}, {2}));
  const ValueId zero =
      builder.Constant(IntegerTensor(DataType::kUint8, {}, {10}));
  builder.Output(builder.Node(Operator::kQuantizeLinear, {x, scale, zero},
                              {.row_shape = {8}, .type = DataType::kUint8},
                              {{"axis", std::int64_t{1}}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run = RunPlan(
      model, OneTensor(FloatTensor(
                 {1, 8}, {1, 3, -1, -3, 1000, -1000, kNan, -kInfinity})));
  EXPECT_THAT(run.outputs[0].As<std::uint8_t>(),
              ElementsAre(10, 12, 10, 8, 255, 0, 0, 0));
  EXPECT_EQ(model.Describe(), "quantize 8\n");
}

TEST(QuantizeStepTest, DequantizeTakesParametersAlongTheAxis) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 2}, DataType::kInt8);
  const ValueId scale = builder.Constant(FloatTensor({2}, {0.5F, 3}));
  const ValueId zero =
      builder.Constant(IntegerTensor(DataType::kInt8, {2}, {1, -1}));
  builder.Output(builder.Node(Operator::kDequantizeLinear, {x, scale, zero},
                              {.row_shape = {2, 2}},
                              {{"axis", std::int64_t{1}}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run = RunPlan(
      model,
      OneTensor(IntegerTensor(DataType::kInt8, {1, 2, 2}, {1, 5, -1, -128})));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(0, 2, 0, -381));
  EXPECT_EQ(model.Describe(), "dequantize 4\n");
}

// Bytes of a fixed pattern that covers the range of the type.
Tensor Bytes(DataType type, Shape shape) {
  Tensor tensor(type, std::move(shape));
  for (std::size_t i = 0; i < tensor.bytes().size(); ++i) {
    tensor.bytes()[i] = static_cast<std::byte>(i * 89 + 200);
  }
  return tensor;
}

// The plan has the integers of the interpreter.
void ExpectExact(const Graph& graph, const Tensor& input,
                 std::string_view description) {
  const CompiledModel model = CompileOrDie(graph);
  EXPECT_EQ(model.Describe(), description);
  const std::vector<Tensor> inputs = OneTensor(input.Clone());
  const auto wanted = Interpret(graph, inputs);
  ASSERT_TRUE(wanted.ok()) << wanted.status();
  EXPECT_TRUE(SameBits(RunPlan(model, inputs).outputs[0], (*wanted)[0]));
}

TEST(QuantizeStepTest, MatMulIntegerIsExactForAllTypesAndZeroPoints) {
  for (const DataType left : {DataType::kInt8, DataType::kUint8}) {
    for (const DataType right : {DataType::kInt8, DataType::kUint8}) {
      GraphBuilder builder;
      const ValueId x = builder.Input("x", {2, 37}, left);
      const ValueId w = builder.Constant(Bytes(right, {37, 5}));
      const ValueId left_zero = builder.Constant(IntegerTensor(left, {}, {77}));
      const ValueId right_zero = builder.Constant(Bytes(right, {5}));
      builder.Output(
          builder.Node(Operator::kMatMulInteger, {x, w, left_zero, right_zero},
                       {.row_shape = {2, 5}, .type = DataType::kInt32}));
      ExpectExact(builder.Build(), Bytes(left, {3, 2, 37}),
                  "integer product 37 -> 5\n");
    }
  }
}

TEST(QuantizeStepTest, QLinearMatMulIsExactForAllTypesAndScales) {
  for (const DataType left : {DataType::kInt8, DataType::kUint8}) {
    for (const DataType result : {DataType::kInt8, DataType::kUint8}) {
      GraphBuilder builder;
      std::vector<ValueId> inputs{builder.Input("x", {19}, left)};
      inputs.push_back(builder.Constant(FloatTensor({}, {0.02F})));
      inputs.push_back(builder.Constant(IntegerTensor(left, {}, {3})));
      inputs.push_back(builder.Constant(Bytes(DataType::kInt8, {19, 3})));
      inputs.push_back(builder.Constant(FloatTensor({3}, {0.1F, 0.3F, 0.7F})));
      inputs.push_back(builder.Constant(Bytes(DataType::kInt8, {3})));
      inputs.push_back(builder.Constant(FloatTensor({}, {0.9F})));
      inputs.push_back(builder.Constant(IntegerTensor(result, {}, {20})));
      builder.Output(builder.Node(Operator::kQLinearMatMul, std::move(inputs),
                                  {.row_shape = {3}, .type = result}));
      ExpectExact(builder.Build(), Bytes(left, {5, 19}),
                  "integer product 19 -> 3\n");
    }
  }
}

TEST(QuantizeStepTest, ComputedParametersAreUnimplemented) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId scale = builder.Input("scale", {2});
  builder.Node(Operator::kQuantizeLinear, {x, scale},
               {.row_shape = {2}, .type = DataType::kUint8},
               {{"axis", std::int64_t{1}}});
  const ValueId bytes = builder.Input("bytes", {2}, DataType::kInt8);
  const ValueId weights = builder.Input("w", {2}, DataType::kInt8);
  builder.Node(Operator::kMatMulInteger, {bytes, weights},
               {.row_shape = {2}, .type = DataType::kInt32});
  const Graph graph = builder.Build();
  PlanBuilder plan(graph);
  EXPECT_EQ(LowerQuantize(graph.nodes[0], plan).code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_EQ(LowerIntegerProduct(graph.nodes[1], plan).code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
