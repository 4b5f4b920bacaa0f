#include "core/graph/evaluate_layout.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/interpreter.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(EvaluateLayoutTest, ConcatJoinsAlongAxis) {
  const Tensor a = FloatTensor({2, 1}, {1, 2});
  const Tensor b = FloatTensor({2, 2}, {3, 4, 5, 6});
  const auto result =
      EvaluateOne(MakeNode(Operator::kConcat, {{"axis", std::int64_t{1}}}),
                  {DataType::kFp32, {2, 3}}, {{&a, &b}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->As<float>(), ElementsAre(1, 3, 4, 2, 5, 6));
}

TEST(EvaluateLayoutTest, GatherTakesRowsOfTableAndCountsNegativesFromTheEnd) {
  const Tensor table = FloatTensor({3, 2}, {1, 2, 3, 4, 5, 6});
  const Tensor indices = Int64Tensor({2, 1}, {-1, 0});
  const auto result =
      EvaluateOne(MakeNode(Operator::kGather, {{"axis", std::int64_t{0}}}),
                  {DataType::kFp32, {2, 1, 2}}, {{&table, &indices}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->As<float>(), ElementsAre(5, 6, 1, 2));
}

TEST(EvaluateLayoutTest, GatherTakesColumnsWhenAxisIsOne) {
  const Tensor data = FloatTensor({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor index = Int64Tensor({}, {1});
  const auto result =
      EvaluateOne(MakeNode(Operator::kGather, {{"axis", std::int64_t{1}}}),
                  {DataType::kFp32, {2}}, {{&data, &index}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->As<float>(), ElementsAre(2, 5));
}

TEST(EvaluateLayoutTest, GatherFailsWhenIndexIsOutside) {
  const Tensor table = FloatTensor({2, 1}, {1, 2});
  const Tensor indices = Int64Tensor({1}, {2});
  EXPECT_THAT(
      EvaluateOne(MakeNode(Operator::kGather, {{"axis", std::int64_t{0}}}),
                  {DataType::kFp32, {1, 1}}, {{&table, &indices}})
          .status(),
      Fails(kInvalid, "node \"n\" (Gather): index 2, wanted -2 to 1"));
}

TEST(EvaluateLayoutTest, ReshapeKeepsOrder) {
  const Tensor x = FloatTensor({2, 2}, {1, 2, 3, 4});
  const auto result = EvaluateOne(MakeNode(Operator::kReshape),
                                  {DataType::kFp32, {4, 1}}, {{&x}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->shape(), (Shape{4, 1}));
  EXPECT_THAT(result->As<float>(), ElementsAre(1, 2, 3, 4));
}

TEST(EvaluateLayoutTest, TransposeMovesElementsOfAnyType) {
  Tensor x(DataType::kUint8, {2, 3});
  for (std::uint8_t i = 0; i < 6; ++i) {
    x.As<std::uint8_t>()[i] = i;
  }
  const auto result =
      EvaluateOne(MakeNode(Operator::kTranspose,
                           {{"perm", std::vector<std::int64_t>{1, 0}}}),
                  {DataType::kUint8, {3, 2}}, {{&x}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->As<std::uint8_t>(), ElementsAre(0, 3, 1, 4, 2, 5));
}

}  // namespace
}  // namespace relu
