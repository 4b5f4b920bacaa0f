#include "core/plan/activation_step.h"

#include <cmath>
#include <limits>

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

TEST(ActivationStepTest, DescribeNamesFunctionAndSize) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {5});
  builder.Output(builder.Unary(
      Operator::kTanh,
      builder.Unary(Operator::kSigmoid, builder.Unary(Operator::kRelu, x))));
  EXPECT_EQ(CompileOrDie(builder.Build()).Describe(),
            "relu 5\nsigmoid 5\ntanh 5\n");
}

TEST(ActivationStepTest, IntegersGoThroughTheInterpreter) {
  GraphBuilder builder;
  builder.Output(builder.Unary(Operator::kRelu,
                               builder.Input("x", {5}, DataType::kInt32)));
  EXPECT_TRUE(
      CompileOrDie(builder.Build()).Describe().starts_with("interpret "));
}

}  // namespace
}  // namespace relu
