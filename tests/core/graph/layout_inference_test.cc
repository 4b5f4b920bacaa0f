#include "core/graph/layout_inference.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using I = std::int64_t;
using Integers = std::vector<I>;

TEST(LayoutInferenceTest, GatherFromRowsByConstantIndices) {
  InferenceRun vector = RunAlong(Operator::kGather, -1);
  EXPECT_EQ(vector.Batched({3, 4})
                .Constant(Int64Tensor({2}, {-4, 3}))
                .InferShape(&InferGather),
            (Shape{-1, 3, 2}));
  InferenceRun scalar = RunAlong(Operator::kGather, 1);
  EXPECT_EQ(scalar.Batched({3, 4})
                .Constant(Int64Tensor({}, {0}))
                .InferShape(&InferGather),
            (Shape{-1, 4}));
}

TEST(LayoutInferenceTest, GatherFromTableByComputedIndices) {
  InferenceRun run = RunAlong(Operator::kGather, 0);
  EXPECT_EQ(run.Constant({10, 6})
                .Batched({2}, DataType::kInt32)
                .InferShape(&InferGather),
            (Shape{-1, 2, 6}));
}

TEST(LayoutInferenceTest, GatherRefusesIndexOutside) {
  for (const I index : {-5, 4}) {
    InferenceRun run = RunAlong(Operator::kGather, 1);
    EXPECT_THAT(run.Batched({4})
                    .Constant(Int64Tensor({1}, {index}))
                    .Infer(&InferGather)
                    .status(),
                Fails(kInvalid, "wanted -4 to 3"));
  }
}

TEST(LayoutInferenceTest, GatherPutsIndicesInThePlaceOfTheAxis) {
  InferenceRun batch = RunAlong(Operator::kGather, 0);
  EXPECT_EQ(batch.Batched({4})
                .Constant(Int64Tensor({1}, {0}))
                .InferShape(&InferGather),
            (Shape{1, 4}));
  InferenceRun columns = RunAlong(Operator::kGather, 1);
  EXPECT_EQ(columns.Constant({4, 4})
                .Batched({1}, DataType::kInt64)
                .InferShape(&InferGather),
            (Shape{4, -1, 1}));
  InferenceRun floats = RunAlong(Operator::kGather, 0);
  EXPECT_EQ(
      floats.Constant({4}).Batched({1}).Infer(&InferGather).status().code(),
      kInvalid);
}

TEST(LayoutInferenceTest, ConcatAddsSizesOfAxis) {
  InferenceRun run = RunAlong(Operator::kConcat, -1);
  EXPECT_EQ(run.Batched({3, 4}).Batched({3, 1}).InferShape(&InferConcat),
            (Shape{-1, 3, 5}));
}

TEST(LayoutInferenceTest, ConcatRefusesWhatItCannotJoin) {
  InferenceRun batch = RunAlong(Operator::kConcat, 0);
  EXPECT_EQ(batch.Batched({3}).Batched({3}).Infer(&InferConcat).status().code(),
            kUnimplemented);
  InferenceRun constant = RunAlong(Operator::kConcat, 1);
  EXPECT_EQ(constant.Batched({3})
                .Constant({1, 3})
                .Infer(&InferConcat)
                .status()
                .code(),
            kInvalid);
  InferenceRun sizes = RunAlong(Operator::kConcat, 1);
  EXPECT_EQ(
      sizes.Batched({3, 4}).Batched({3, 5}).Infer(&InferConcat).status().code(),
      kInvalid);
  InferenceRun ranks = RunAlong(Operator::kConcat, 1);
  EXPECT_EQ(
      ranks.Batched({3}).Batched({3, 1}).Infer(&InferConcat).status().code(),
      kInvalid);
}

TEST(LayoutInferenceTest, TransposeReordersSizes) {
  InferenceRun rows(Operator::kTranspose, {{"perm", Integers{0, 2, 1}}});
  EXPECT_EQ(rows.Batched({3, 4}).InferShape(&InferTranspose),
            (Shape{-1, 4, 3}));
  InferenceRun constant(Operator::kTranspose, {{"perm", Integers()}});
  EXPECT_EQ(constant.Constant({3, 4}).InferShape(&InferTranspose),
            (Shape{4, 3}));
  EXPECT_EQ(IntsAttribute(constant.node, "perm"), (Integers{1, 0}));
}

TEST(LayoutInferenceTest, TransposeMayMoveTheBatch) {
  InferenceRun run(Operator::kTranspose, {{"perm", Integers{1, 0}}});
  EXPECT_EQ(run.Batched({3}).InferShape(&InferTranspose), (Shape{3, -1}));
}

TEST(LayoutInferenceTest, ExpandTakesTheLargerSizes) {
  InferenceRun run(Operator::kExpand);
  EXPECT_EQ(run.Batched({1, 4})
                .Constant(Int64Tensor({2}, {3, 1}))
                .InferShape(&InferExpand),
            (Shape{-1, 3, 4}));
  EXPECT_EQ(run.node.inputs.size(), 1U);
  InferenceRun bad(Operator::kExpand);
  EXPECT_THAT(bad.Batched({3})
                  .Constant(Int64Tensor({1}, {4}))
                  .Infer(&InferExpand)
                  .status(),
              Fails(kInvalid, "do not broadcast"));
}

// A Slice of x[-1, 5] along axis 1.
InferenceRun Slice(I start, I end, I step) {
  InferenceRun run(
      Operator::kSlice,
      {{"axes", Integers()}, {"ends", Integers()}, {"starts", Integers()}});
  run.Batched({5});
  for (const I value : {start, end, I{1}, step}) {
    run.Constant(Int64Tensor({1}, {value}));
  }
  return run;
}

TEST(LayoutInferenceTest, SliceClampsItsRange) {
  const I huge = std::numeric_limits<I>::max();
  const auto size = [](InferenceRun run) {
    return run.InferShape(&InferSlice)[1];
  };
  EXPECT_EQ(size(Slice(1, huge, 1)), 4);
  EXPECT_EQ(size(Slice(-2, huge, 1)), 2);
  EXPECT_EQ(size(Slice(0, -1, 2)), 2);
  EXPECT_EQ(size(Slice(-1, -huge, -1)), 5);
  EXPECT_EQ(size(Slice(-1, -huge, -huge)), 1);
  EXPECT_EQ(size(Slice(-100, -huge, -1)), 1);
  EXPECT_EQ(size(Slice(3, 2, 1)), 0);
  EXPECT_EQ(size(Slice(9, huge, 1)), 0);
}

TEST(LayoutInferenceTest, SliceSaysWhereEachDimensionStarts) {
  InferenceRun run = Slice(-2, -9, -1);
  run.InferShape(&InferSlice);
  EXPECT_EQ(IntsAttribute(run.node, "starts"), (Integers{0, 3}));
  EXPECT_EQ(IntsAttribute(run.node, "steps"), (Integers{1, -1}));
  EXPECT_EQ(run.node.inputs.size(), 1U);
}

TEST(LayoutInferenceTest, SliceRefusesBadRanges) {
  EXPECT_THAT(Slice(0, 1, 0).Infer(&InferSlice).status(),
              Fails(kInvalid, "a step is 0"));
  InferenceRun rows(
      Operator::kSlice,
      {{"axes", Integers{0}}, {"ends", Integers{2}}, {"starts", Integers{0}}});
  rows.opset = 9;
  EXPECT_THAT(rows.Batched({5}).Infer(&InferSlice).status(),
              Fails(kUnimplemented, "takes some of the rows"));
  InferenceRun counts(Operator::kSlice, {{"axes", Integers()},
                                         {"ends", Integers{2, 2}},
                                         {"starts", Integers{0}}});
  counts.opset = 9;
  EXPECT_THAT(counts.Batched({5}).Infer(&InferSlice).status(),
              Fails(kInvalid, "wanted as many of each"));
}

InferenceRun Split(std::size_t outputs, I num_outputs, const Integers& sizes) {
  InferenceRun run(
      Operator::kSplit,
      {{"axis", I{-1}}, {"num_outputs", num_outputs}, {"split", sizes}});
  run.outputs = outputs;
  run.Batched({5});
  return run;
}

TEST(LayoutInferenceTest, SplitGivesPartsThatMakeUpTheAxis) {
  InferenceRun given = Split(2, 0, {2, 3});
  EXPECT_EQ(given.InferShape(&InferSplit), (Shape{-1, 2}));
  InferenceRun uneven = Split(2, 2, {});
  EXPECT_EQ(uneven.InferShape(&InferSplit), (Shape{-1, 3}));
  EXPECT_EQ(IntsAttribute(uneven.node, "split"), (Integers{3, 2}));
}

TEST(LayoutInferenceTest, SplitRefusesPartsThatDoNot) {
  for (InferenceRun run :
       {Split(2, 0, {2, 2}), Split(3, 0, {2, 3}), Split(2, 0, {-1, 6}),
        Split(2, 0, {}), Split(2, 3, {}), Split(9, 9, {})}) {
    EXPECT_EQ(run.Infer(&InferSplit).status().code(), kInvalid);
  }
}

TEST(LayoutInferenceTest, TransposeRefusesBadOrders) {
  for (const Integers& order : {Integers{0}, Integers{0, 0}, Integers{0, 2},
                                Integers{0, -1}, Integers{0, 1, 2}}) {
    InferenceRun run(Operator::kTranspose, {{"perm", order}});
    EXPECT_EQ(run.Batched({3}).Infer(&InferTranspose).status().code(), kInvalid)
        << ShapeText(order);
  }
}

}  // namespace
}  // namespace relu
