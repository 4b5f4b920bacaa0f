#include "core/plan/softmax_step.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

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

// Two rows of shape [2, 3, 2].
Tensor Values() {
  std::vector<float> values(24);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>((i * 7) % 11) / 4;
  }
  return FloatTensor({2, 2, 3, 2}, values);
}

CompiledModel SoftmaxModel(std::int64_t axis, std::int64_t flatten) {
  GraphBuilder builder;
  builder.Output(builder.Softmax(builder.Input("x", {2, 3, 2}), axis, flatten));
  return CompileOrDie(builder.Build());
}

// The elements i, i + stride, ... of Values() and of their softmax.
void ExpectSoftmax(const Tensor& output, std::size_t first, std::size_t stride,
                   std::size_t size) {
  const Tensor input = Values();
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    sum += std::exp(double{input.As<float>()[first + i * stride]});
  }
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t at = first + i * stride;
    EXPECT_NEAR(output.As<float>()[at],
                std::exp(double{input.As<float>()[at]}) / sum, 1e-6)
        << "element " << at;
  }
}

TEST(SoftmaxStepTest, LastAxisIsNormalisedByItself) {
  const PlanRun run = RunPlan(SoftmaxModel(3, 0), OneTensor(Values()));
  for (std::size_t i = 0; i < 24; i += 2) {
    ExpectSoftmax(run.outputs[0], i, 1, 2);
  }
}

TEST(SoftmaxStepTest, MiddleAxisIsNormalisedByItself) {
  const PlanRun run = RunPlan(SoftmaxModel(2, 0), OneTensor(Values()));
  for (std::size_t outer = 0; outer < 24; outer += 6) {
    ExpectSoftmax(run.outputs[0], outer, 2, 3);
    ExpectSoftmax(run.outputs[0], outer + 1, 2, 3);
  }
}

TEST(SoftmaxStepTest, FlattenNormalisesAllFromTheAxisOn) {
  const PlanRun run = RunPlan(SoftmaxModel(2, 1), OneTensor(Values()));
  for (std::size_t outer = 0; outer < 24; outer += 6) {
    ExpectSoftmax(run.outputs[0], outer, 1, 6);
  }
}

TEST(SoftmaxStepTest, DescribeTellsHowOftenARow) {
  EXPECT_EQ(SoftmaxModel(1, 1).Describe(), "softmax 12\n");
  EXPECT_EQ(SoftmaxModel(3, 0).Describe(), "softmax 2, 6 times a row\n");
  EXPECT_EQ(SoftmaxModel(1, 0).Describe(),
            "softmax 2, 6 times a row, strided\n");
}

TEST(SoftmaxStepTest, LogSoftmaxIsItsLogarithm) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(
      builder.Node(Operator::kLogSoftmax, {x}, {.row_shape = {2}},
                   {{"axis", std::int64_t{1}}, {"flatten", std::int64_t{0}}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  const PlanRun run = RunPlan(model, OneTensor(FloatTensor({1, 2}, {3, 3})));
  EXPECT_FLOAT_EQ(run.outputs[0].As<float>()[1], std::log(0.5F));
  EXPECT_EQ(model.Describe(), "log softmax 2\n");
}

}  // namespace
}  // namespace relu
