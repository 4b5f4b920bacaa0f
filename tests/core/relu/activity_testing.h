// What the tests of activity share: a small model, rows for it, a baseline.

#ifndef TESTS_CORE_RELU_ACTIVITY_TESTING_H_
#define TESTS_CORE_RELU_ACTIVITY_TESTING_H_

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_calibration.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {

inline CompiledModel CompileActivity(const Graph& graph) {
  absl::StatusOr<CompiledModel> model = CompiledModel::Compile(graph);
  if (!model.ok()) {
    ADD_FAILURE() << model.status();
  }
  CHECK(model.ok());
  return *std::move(model);
}

// x [6] -> relu [24] -> relu [12], with weights of a fixed seed.
inline CompiledModel TwoLayers() {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 0.6F);
  const auto draw = [&](std::int64_t size) {
    std::vector<float> numbers(static_cast<std::size_t>(size));
    for (float& number : numbers) {
      number = normal(random);
    }
    return numbers;
  };
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {6});
  const ValueId first = builder.Unary(
      Operator::kRelu,
      builder.Gemm(x, builder.Constant(FloatTensor({6, 24}, draw(144))),
                   builder.Constant(FloatTensor({24}, draw(24)))));
  builder.Output(builder.Unary(
      Operator::kRelu,
      builder.Gemm(first, builder.Constant(FloatTensor({24, 12}, draw(288))),
                   builder.Constant(FloatTensor({12}, draw(12))))));
  return CompileActivity(builder.Build());
}

// Of TwoLayers(): element 3 is an amount, 5 a flag that is seldom 1, the others
// are normal. `amount_unit` multiplies the amounts: 1 is as it should be.
inline Tensor TwoLayerRows(std::int64_t rows, std::uint32_t seed,
                           float amount_unit = 1.0F) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (int i = 0; i < 6; ++i) {
      const float number = normal(random);
      values.push_back(i == 3   ? (2 + 0.5F * number) * amount_unit
                       : i == 5 ? (number > 2.3F ? 1.0F : 0.0F)
                                : number);
    }
  }
  return FloatTensor({rows, 6}, values);
}

inline ActivityBaseline TwoLayerBaseline(const CompiledModel& model,
                                         std::int64_t rows = 3000) {
  std::vector<Tensor> inputs;
  inputs.push_back(TwoLayerRows(rows, 11));
  absl::StatusOr<ActivityBaseline> baseline =
      Calibrate(model, inputs, {.window_rows = 128});
  if (!baseline.ok()) {
    ADD_FAILURE() << baseline.status();
  }
  CHECK(baseline.ok());
  return *std::move(baseline);
}

}  // namespace relu

#endif  // TESTS_CORE_RELU_ACTIVITY_TESTING_H_
