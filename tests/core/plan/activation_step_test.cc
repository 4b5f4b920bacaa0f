#include "core/plan/activation_step.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

Tensor RunUnary(Operator op, Tensor input) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {input.shape()[1]});
  builder.Output(builder.Unary(op, x));
  PlanRun run =
      RunPlan(CompileOrDie(builder.Build()), OneTensor(std::move(input)));
  return std::move(run.outputs[0]);
}

TEST(ActivationStepTest, ReluClampsEachRowAndKeepsNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor y =
      RunUnary(Operator::kRelu, FloatTensor({2, 2}, {-1, 2, nan, -0.0F}));
  EXPECT_EQ(y.As<float>()[0], 0.0F);
  EXPECT_EQ(y.As<float>()[1], 2.0F);
  EXPECT_TRUE(std::isnan(y.As<float>()[2]));
  EXPECT_EQ(y.As<float>()[3], 0.0F);
}

TEST(ActivationStepTest, SigmoidAndTanhComputeEachRow) {
  const Tensor sigmoid =
      RunUnary(Operator::kSigmoid, FloatTensor({2, 1}, {0, 2}));
  EXPECT_NEAR(sigmoid.As<float>()[0], 0.5, 1e-6);
  EXPECT_NEAR(sigmoid.As<float>()[1], 1 / (1 + std::exp(-2.0)), 1e-6);
  const Tensor tanh = RunUnary(Operator::kTanh, FloatTensor({2, 1}, {0, -1}));
  EXPECT_NEAR(tanh.As<float>()[0], 0, 1e-6);
  EXPECT_NEAR(tanh.As<float>()[1], std::tanh(-1.0), 1e-6);
}

TEST(ActivationStepTest, AttributesAreTheParametersOfTheFunction) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const auto node = [&](Operator op, Attributes attributes) {
    builder.Output(
        builder.Node(op, {x}, {.row_shape = {2}}, std::move(attributes)));
  };
  node(Operator::kLeakyRelu, {{"alpha", 0.5F}});
  node(Operator::kClip, {{"min", -1.0F}, {"max", 2.0F}});
  node(Operator::kHardSigmoid, {{"alpha", 0.25F}, {"beta", 0.5F}});
  node(Operator::kThresholdedRelu, {{"alpha", 2.0F}});
  node(Operator::kSelu, {{"alpha", 0.0F}, {"gamma", 3.0F}});
  node(Operator::kGelu, {{"approximate", std::string("tanh")}});
  node(Operator::kSwish, {{"alpha", 0.0F}});
  const PlanRun run = RunPlan(CompileOrDie(builder.Build()),
                              OneTensor(FloatTensor({1, 2}, {-4, 8})));
  const float wanted[][2] = {{-2, 8}, {-1, 2},           {0, 1}, {0, 8},
                             {0, 24}, {-0.00007022F, 8}, {-2, 4}};
  for (std::size_t i = 0; i < run.outputs.size(); ++i) {
    EXPECT_NEAR(run.outputs[i].As<float>()[0], wanted[i][0], 1e-7) << i;
    EXPECT_EQ(run.outputs[i].As<float>()[1], wanted[i][1]) << i;
  }
}

TEST(ActivationStepTest, DescribeNamesFunctionAndSize) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {5});
  builder.Output(builder.Unary(
      Operator::kTanh,
      builder.Unary(Operator::kSigmoid, builder.Unary(Operator::kRelu, x))));
  EXPECT_EQ(CompileOrDie(builder.Build()).Describe(),
            "relu 5\nsigmoid 5\ntanh 5\n");
}

TEST(ActivationStepTest, CompileIsUnimplementedWhenTypeIsInteger) {
  GraphBuilder builder;
  builder.Output(builder.Unary(Operator::kRelu,
                               builder.Input("x", {5}, DataType::kInt32)));
  EXPECT_EQ(CompiledModel::Compile(builder.Build()).status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
