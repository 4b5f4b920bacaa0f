#include "core/graph/evaluate_product.h"

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

using ::testing::ElementsAre;

Node Gemm(float alpha, float beta, int trans_a, int trans_b) {
  return MakeNode(Operator::kGemm, {{"alpha", alpha},
                                    {"beta", beta},
                                    {"transA", std::int64_t{trans_a}},
                                    {"transB", std::int64_t{trans_b}}});
}

TEST(EvaluateProductTest, GemmMultipliesForEveryTransposition) {
  // [1 2; 3 4] times [5 6; 7 8].
  const Tensor a = FloatTensor({2, 2}, {1, 2, 3, 4});
  const Tensor at = FloatTensor({2, 2}, {1, 3, 2, 4});
  const Tensor b = FloatTensor({2, 2}, {5, 6, 7, 8});
  const Tensor bt = FloatTensor({2, 2}, {5, 7, 6, 8});
  const ValueType result{DataType::kFp32, {2, 2}};
  const auto product = ElementsAre(19, 22, 43, 50);
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 0), result, {&a, &b}), product);
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 1), result, {&a, &bt}), product);
  EXPECT_THAT(Evaluate(Gemm(1, 1, 1, 0), result, {&at, &b}), product);
  EXPECT_THAT(Evaluate(Gemm(1, 1, 1, 1), result, {&at, &bt}), product);
}

TEST(EvaluateProductTest, GemmScalesAndBroadcastsBias) {
  const Tensor a = FloatTensor({2, 1}, {1, 2});
  const Tensor b = FloatTensor({1, 2}, {10, 20});
  const ValueType result{DataType::kFp32, {2, 2}};
  const Tensor scalar = FloatTensor({}, {1});
  EXPECT_THAT(Evaluate(Gemm(2, 3, 0, 0), result, {&a, &b, &scalar}),
              ElementsAre(23, 43, 43, 83));
  const Tensor row = FloatTensor({2}, {1, 2});
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 0), result, {&a, &b, &row}),
              ElementsAre(11, 22, 21, 42));
  const Tensor column = FloatTensor({2, 1}, {1, 2});
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 0), result, {&a, &b, &column}),
              ElementsAre(11, 21, 22, 42));
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 0), result, {&a, &b, nullptr}),
              ElementsAre(10, 20, 20, 40));
}

TEST(EvaluateProductTest, GemmSumsInDouble) {
  const Tensor a = FloatTensor({1, 3}, {1e8F, 1, -1e8F});
  const Tensor b = FloatTensor({3, 1}, {1, 1, 1});
  EXPECT_THAT(Evaluate(Gemm(1, 1, 0, 0), {DataType::kFp32, {1, 1}}, {&a, &b}),
              ElementsAre(1));
}

TEST(EvaluateProductTest, MatMulTakesMatricesAndVectorsOnTheRight) {
  const Tensor a = FloatTensor({2, 1, 2}, {1, 2, 3, 4});
  const Tensor b = FloatTensor({2, 1}, {1, 10});
  EXPECT_THAT(Evaluate(MakeNode(Operator::kMatMul),
                       {DataType::kFp32, {2, 1, 1}}, {&a, &b}),
              ElementsAre(21, 43));
  const Tensor v = FloatTensor({2}, {1, 10});
  EXPECT_THAT(Evaluate(MakeNode(Operator::kMatMul), {DataType::kFp32, {2, 1}},
                       {&a, &v}),
              ElementsAre(21, 43));
}

}  // namespace
}  // namespace relu
