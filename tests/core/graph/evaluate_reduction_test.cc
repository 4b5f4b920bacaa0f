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

// The node's value as doubles; empty, with a failure, if there is none.
std::vector<double> Evaluate(const Node& node, const ValueType& result,
                             const std::vector<const Tensor*>& inputs) {
  const absl::StatusOr<Tensor> value = EvaluateOne(node, result, inputs);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? ToDoubles(*value) : std::vector<double>();
}

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

}  // namespace
}  // namespace relu
