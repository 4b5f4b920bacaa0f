#include "core/graph/reduction_inference.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using I = std::int64_t;
using Integers = std::vector<I>;

TEST(ReductionInferenceTest, ArgMaxKeepsOrDropsAxis) {
  InferenceRun keep(Operator::kArgMax, {{"axis", I{-1}}, {"keepdims", I{1}}});
  const auto kept = keep.Batched({3, 4}).Infer(&InferArgMax);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->type, DataType::kInt64);
  EXPECT_EQ(kept->shape, (Shape{-1, 3, 1}));
  InferenceRun drop(Operator::kArgMax, {{"axis", I{1}}, {"keepdims", I{0}}});
  EXPECT_EQ(drop.Batched({3, 4}).InferShape(&InferArgMax), (Shape{-1, 4}));
}

TEST(ReductionInferenceTest, ArgMaxRefusesNothingToChooseFrom) {
  InferenceRun empty(Operator::kArgMax, {{"axis", I{0}}, {"keepdims", I{1}}});
  EXPECT_THAT(empty.Constant({0}).Infer(&InferArgMax).status(),
              Fails(kInvalid, "nothing to choose from"));
}

InferenceRun ReductionRun(const Integers& axes, I keepdims, I noop = 0) {
  return InferenceRun(
      Operator::kReduceSum,
      {{"axes", axes}, {"keepdims", keepdims}, {"noop_with_empty_axes", noop}});
}

TEST(ReductionInferenceTest, ReductionKeepsOrDropsAxes) {
  InferenceRun keep = ReductionRun({-1}, 1);
  EXPECT_EQ(keep.Batched({3, 4}).InferShape(&InferReduction),
            (Shape{-1, 3, 1}));
  EXPECT_EQ(IntsAttribute(keep.node, "axes"), (Integers{2}));
  InferenceRun drop = ReductionRun({2, 1}, 0);
  EXPECT_EQ(drop.Batched({3, 4}).InferShape(&InferReduction), (Shape{-1}));
  InferenceRun input = ReductionRun({}, 0);
  EXPECT_EQ(input.Batched({3, 4})
                .Constant(Int64Tensor({1}, {0}))
                .InferShape(&InferReduction),
            (Shape{3, 4}));
  EXPECT_EQ(input.node.inputs.size(), 1U);
}

TEST(ReductionInferenceTest, ReductionWithoutAxesTakesAllOrNone) {
  InferenceRun all = ReductionRun({}, 0);
  EXPECT_EQ(all.Batched({3}).InferShape(&InferReduction), Shape{});
  InferenceRun none = ReductionRun({}, 0, 1);
  EXPECT_EQ(none.Batched({3}).InferShape(&InferReduction), (Shape{-1, 3}));
}

TEST(ReductionInferenceTest, ReductionRefusesBadAxes) {
  for (const Integers& axes : {Integers{2}, Integers{-3}, Integers{1, -1}}) {
    InferenceRun run = ReductionRun(axes, 1);
    EXPECT_EQ(run.Batched({3}).Infer(&InferReduction).status().code(),
              kInvalid);
  }
}

TEST(ReductionInferenceTest, TopKTakesKOfTheAxis) {
  InferenceRun run(Operator::kTopK, {{"axis", I{-1}}, {"k", kUnsetAttribute}});
  EXPECT_EQ(
      run.Batched({4}).Constant(Int64Tensor({1}, {2})).InferShape(&InferTopK),
      (Shape{-1, 2}));
  EXPECT_EQ(IntAttribute(run.node, "k"), 2);
  for (const I k : {I{5}, I{-1}, kUnsetAttribute}) {
    InferenceRun old(Operator::kTopK, {{"axis", I{1}}, {"k", k}});
    old.opset = 9;
    EXPECT_EQ(old.Batched({4}).Infer(&InferTopK).status().code(), kInvalid);
  }
  InferenceRun rows(Operator::kTopK, {{"axis", I{0}}, {"k", I{1}}});
  rows.opset = 9;
  EXPECT_EQ(rows.Batched({4}).Infer(&InferTopK).status().code(),
            kUnimplemented);
}

InferenceRun BatchNormalization(I training_mode, I spatial,
                                const Shape& parameters) {
  InferenceRun run(Operator::kBatchNormalization,
                   {{"training_mode", training_mode}, {"spatial", spatial}});
  run.Batched({3, 2});
  for (int i = 0; i < 4; ++i) {
    run.Constant(parameters);
  }
  return run;
}

TEST(ReductionInferenceTest, BatchNormalizationHasOneParameterAChannel) {
  EXPECT_EQ(BatchNormalization(0, 1, {3}).InferShape(&InferBatchNormalization),
            (Shape{-1, 3, 2}));
  EXPECT_EQ(
      BatchNormalization(0, 0, {3, 2}).InferShape(&InferBatchNormalization),
      (Shape{-1, 3, 2}));
  EXPECT_THAT(
      BatchNormalization(0, 1, {2}).Infer(&InferBatchNormalization).status(),
      Fails(kInvalid, "wanted shape [3]"));
  EXPECT_THAT(
      BatchNormalization(1, 1, {3}).Infer(&InferBatchNormalization).status(),
      Fails(kUnimplemented, "training mode"));
}

TEST(ReductionInferenceTest, LayerNormalizationGivesStatisticsToo) {
  InferenceRun run(Operator::kLayerNormalization,
                   {{"axis", I{-1}}, {"stash_type", I{1}}});
  EXPECT_EQ(
      run.Batched({3, 4}).Constant({4}).InferShape(&InferLayerNormalization),
      (Shape{-1, 3, 4}));
  InferenceRun wide(Operator::kLayerNormalization,
                    {{"axis", I{-1}}, {"stash_type", I{1}}});
  EXPECT_EQ(wide.Batched({3})
                .Constant({2, 1, 3})
                .Infer(&InferLayerNormalization)
                .status()
                .code(),
            kInvalid);
}

}  // namespace
}  // namespace relu
