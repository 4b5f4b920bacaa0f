#include "core/graph/row_samples.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using I = std::int64_t;

constexpr I kMark = -77;

Node ShapeNode() {
  return MakeNode(Operator::kShape, {{"start", I{0}}, {"end", I{2}}});
}

// The shape of a value [-1, 4], times `factor`.
std::vector<RowSamples> ScaledShape(const std::vector<I>& factor) {
  const OutputTypes types{{DataType::kInt64, {2}}};
  const auto shape = RowSamples::OfShape(ShapeNode(), types, {kBatchDim, 4});
  const RowSamples scale(Int64Tensor({2}, factor));
  const RowSamples* const inputs[] = {&shape[0], &scale};
  return RowSamples::Evaluate(MakeNode(Operator::kMul), types, inputs);
}

TEST(RowSamplesTest, ShapeHoldsTheRowsAndConstants) {
  const auto samples = ScaledShape({1, 3});
  ASSERT_EQ(samples.size(), 1U);
  const auto integers = samples[0].Integers(kMark);
  ASSERT_TRUE(integers.has_value());
  EXPECT_THAT(*integers, ElementsAre(kMark, 12));
  EXPECT_EQ(samples[0].Constant(), nullptr);
}

TEST(RowSamplesTest, OtherFunctionsOfTheRowsAreNotKnown) {
  EXPECT_FALSE(ScaledShape({2, 1})[0].Integers(kMark).has_value());
}

TEST(RowSamplesTest, WhatDoesNotDependOnTheRowsIsConstant) {
  const auto samples = ScaledShape({0, 1});
  ASSERT_NE(samples[0].Constant(), nullptr);
  EXPECT_THAT(samples[0].Constant()->As<I>(), ElementsAre(0, 4));
}

TEST(RowSamplesTest, ComparisonWithOneRowIsNotConstant) {
  const OutputTypes types{{DataType::kBool, {2}}};
  const auto shape = ScaledShape({1, 1});
  const RowSamples one(Int64Tensor({2}, {1, 1}));
  const RowSamples* const inputs[] = {&shape[0], &one};
  const auto equal =
      RowSamples::Evaluate(MakeNode(Operator::kEqual), types, inputs);
  ASSERT_EQ(equal.size(), 1U);
  EXPECT_EQ(equal[0].Constant(), nullptr);
}

TEST(RowSamplesTest, LargeValuesAreNotFollowed) {
  const RowSamples one(Int64Tensor({1}, {1}));
  const RowSamples* const inputs[] = {&one};
  EXPECT_TRUE(RowSamples::Evaluate(MakeNode(Operator::kExpand),
                                   {{DataType::kInt64, {1025}}}, inputs)
                  .empty());
  EXPECT_TRUE(RowSamples::Evaluate(MakeNode(Operator::kExpand),
                                   {{DataType::kInt64, {kBatchDim}}}, inputs)
                  .empty());
}

TEST(RowSamplesTest, WithRowsCountsEveryBatchDimension) {
  EXPECT_EQ(WithRows({kBatchDim, 4, kBatchDim}, 3), (Shape{3, 4, 3}));
}

}  // namespace
}  // namespace relu
