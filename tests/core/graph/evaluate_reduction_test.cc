#include "core/graph/evaluate_reduction.h"

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

Node ArgMax(std::int64_t axis, std::int64_t select_last) {
  return MakeNode(Operator::kArgMax,
                  {{"axis", axis}, {"select_last_index", select_last}});
}

TEST(EvaluateReductionTest, ArgMaxTakesFirstOrLastOfEquals) {
  const Tensor x = FloatTensor({1, 4}, {1, 5, 5, 2});
  EXPECT_THAT(Evaluate(ArgMax(1, 0), {DataType::kInt64, {1}}, {&x}),
              ElementsAre(1));
  EXPECT_THAT(Evaluate(ArgMax(1, 1), {DataType::kInt64, {1}}, {&x}),
              ElementsAre(2));
}

TEST(EvaluateReductionTest, ArgMaxTakesNanForTheGreatest) {
  const Tensor x = FloatTensor({1, 4}, {1, NAN, NAN, 9});
  EXPECT_THAT(Evaluate(ArgMax(1, 0), {DataType::kInt64, {1}}, {&x}),
              ElementsAre(1));
  EXPECT_THAT(Evaluate(ArgMax(1, 1), {DataType::kInt64, {1}}, {&x}),
              ElementsAre(2));
}

TEST(EvaluateReductionTest, ArgMaxIsExactForLargeIntegers) {
  const std::int64_t big = std::int64_t{1} << 60;
  const Tensor x = Int64Tensor({1, 2}, {big, big + 1});
  EXPECT_THAT(Evaluate(ArgMax(1, 0), {DataType::kInt64, {1}}, {&x}),
              ElementsAre(1));
  Tensor u(DataType::kUint64, {1, 2});
  u.As<std::uint64_t>()[0] = 1;
  u.As<std::uint64_t>()[1] = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THAT(Evaluate(ArgMax(1, 0), {DataType::kInt64, {1}}, {&u}),
              ElementsAre(1));
}

Node Reduction(Operator op, const std::vector<std::int64_t>& axes) {
  return MakeNode(op, {{"axes", axes}, {"keepdims", std::int64_t{0}}});
}

TEST(EvaluateReductionTest, ReductionGoesOverEveryAxis) {
  const Tensor x = FloatTensor({2, 1, 2}, {1, 2, 3, 5});
  EXPECT_THAT(Evaluate(Reduction(Operator::kReduceSum, {0, 1}),
                       {DataType::kFp32, {2}}, {&x}),
              ElementsAre(4, 7));
  EXPECT_THAT(Evaluate(Reduction(Operator::kReduceMean, {0, 1, 2}),
                       {DataType::kFp32, {}}, {&x}),
              ElementsAre(2.75));
  EXPECT_THAT(Evaluate(Reduction(Operator::kReduceProd, {}),
                       {DataType::kFp32, {2, 1, 2}}, {&x}),
              ElementsAre(1, 2, 3, 5));
}

TEST(EvaluateReductionTest, ReduceMaxAndMinTakeNanAndInfinities) {
  const Tensor x = FloatTensor({2, 2}, {NAN, 1, -INFINITY, -INFINITY});
  const auto y = Evaluate(Reduction(Operator::kReduceMax, {1}),
                          {DataType::kFp32, {2}}, {&x});
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(y[1], -INFINITY);
}

std::vector<Tensor> TopK(const Tensor& x, std::int64_t k, int largest) {
  const Node node =
      MakeNode(Operator::kTopK, {{"axis", std::int64_t{0}},
                                 {"k", k},
                                 {"largest", std::int64_t{largest}},
                                 {"sorted", std::int64_t{1}}});
  const ValueType results[] = {{x.type(), {k}}, {DataType::kInt64, {k}}};
  const Tensor* const inputs[] = {&x};
  auto outputs = EvaluateNode(node, results, inputs);
  EXPECT_TRUE(outputs.ok()) << outputs.status();
  return *std::move(outputs);
}

TEST(EvaluateReductionTest, TopKTakesLowerPlaceOfEqualsFirst) {
  const Tensor x = FloatTensor({5}, {1, 3, 3, 0, 1});
  EXPECT_THAT(ToIntegers(TopK(x, 3, 1)[1]), ElementsAre(1, 2, 0));
  EXPECT_THAT(ToIntegers(TopK(x, 3, 0)[1]), ElementsAre(3, 0, 4));
}

TEST(EvaluateReductionTest, TopKTakesNanForTheGreatest) {
  const Tensor x = FloatTensor({3}, {1, NAN, 2});
  EXPECT_THAT(ToIntegers(TopK(x, 3, 1)[1]), ElementsAre(1, 2, 0));
  EXPECT_THAT(ToIntegers(TopK(x, 3, 0)[1]), ElementsAre(0, 2, 1));
}

TEST(EvaluateReductionTest, ArgMinTakesTheLeastAndNanBeforeAll) {
  const Node node = MakeNode(
      Operator::kArgMin,
      {{"axis", std::int64_t{0}}, {"select_last_index", std::int64_t{0}}});
  const Tensor x = FloatTensor({3}, {2, 1, 1});
  EXPECT_THAT(Evaluate(node, {DataType::kInt64, {}}, {&x}), ElementsAre(1));
  const Tensor nan = FloatTensor({3}, {2, NAN, 1});
  EXPECT_THAT(Evaluate(node, {DataType::kInt64, {}}, {&nan}), ElementsAre(1));
}

}  // namespace
}  // namespace relu
