#include "core/graph/evaluate_normalization.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/elements.h"
#include "core/graph/interpreter.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

Node Softmax(std::int64_t axis, std::int64_t flatten) {
  return MakeNode(Operator::kSoftmax, {{"axis", axis}, {"flatten", flatten}});
}

TEST(EvaluateNormalizationTest, SoftmaxDoesNotOverflowWhenInputIsLarge) {
  const Tensor x = FloatTensor({1, 2}, {1000, 0});
  EXPECT_THAT(Evaluate(Softmax(1, 0), {DataType::kFp32, {1, 2}}, {&x}),
              ElementsAre(1, 0));
}

TEST(EvaluateNormalizationTest, SoftmaxGoesAlongOneAxisOrAllFromIt) {
  const Tensor x(DataType::kFp32, {1, 2, 2});
  const ValueType result{DataType::kFp32, {1, 2, 2}};
  EXPECT_THAT(Evaluate(Softmax(1, 0), result, {&x}),
              ElementsAre(0.5, 0.5, 0.5, 0.5));
  EXPECT_THAT(Evaluate(Softmax(1, 1), result, {&x}),
              ElementsAre(0.25, 0.25, 0.25, 0.25));
}

TEST(EvaluateNormalizationTest, SoftmaxSumsToOneForEachLine) {
  const Tensor x = FloatTensor({1, 2, 2}, {0, 1, 2, 3});
  const auto y = Evaluate(Softmax(1, 0), {DataType::kFp64, {1, 2, 2}}, {&x});
  EXPECT_THAT(y[0] + y[2], DoubleNear(1, 1e-15));
  EXPECT_THAT(y[2], DoubleNear(1 / (1 + std::exp(-2.0)), 1e-15));
}

TEST(EvaluateNormalizationTest, BatchNormalizationScalesByChannel) {
  const Tensor x = FloatTensor({1, 2, 2}, {1, 3, 1, 3});
  const Tensor scale = FloatTensor({2}, {1, 2});
  const Tensor bias = FloatTensor({2}, {0, 1});
  const Tensor mean = FloatTensor({2}, {1, 3});
  const Tensor variance = FloatTensor({2}, {4, 1});
  const Node node = MakeNode(Operator::kBatchNormalization,
                             {{"epsilon", 0.0F}, {"spatial", std::int64_t{1}}});
  EXPECT_THAT(Evaluate(node, {DataType::kFp32, {1, 2, 2}},
                       {&x, &scale, &bias, &mean, &variance}),
              ElementsAre(0, 1, -3, 1));
}

TEST(EvaluateNormalizationTest, LogSoftmaxDoesNotUnderflow) {
  const Tensor x = FloatTensor({1, 2}, {1000, 0});
  const Node node =
      MakeNode(Operator::kLogSoftmax,
               {{"axis", std::int64_t{1}}, {"flatten", std::int64_t{0}}});
  EXPECT_THAT(Evaluate(node, {DataType::kFp32, {1, 2}}, {&x}),
              ElementsAre(0, -1000));
}

TEST(EvaluateNormalizationTest, LayerNormalizationGivesItsStatistics) {
  const Tensor x = FloatTensor({1, 2}, {1, 3});
  const Tensor scale = FloatTensor({2}, {1, 10});
  const Node node = MakeNode(Operator::kLayerNormalization,
                             {{"axis", std::int64_t{1}}, {"epsilon", 0.0F}});
  const ValueType results[] = {{DataType::kFp32, {1, 2}},
                               {DataType::kFp32, {1, 1}},
                               {DataType::kFp32, {1, 1}}};
  const Tensor* const inputs[] = {&x, &scale};
  const auto outputs = EvaluateNode(node, results, inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT((*outputs)[0].As<float>(), ElementsAre(-1, 10));
  EXPECT_THAT((*outputs)[1].As<float>(), ElementsAre(2));
  EXPECT_THAT((*outputs)[2].As<float>(), ElementsAre(1));
}

}  // namespace
}  // namespace relu
