#include "core/graph/layout_inference.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using I = std::int64_t;
using Integers = std::vector<I>;

// A Reshape whose target is its second input.
class ReshapeRun : public InferenceRun {
 public:
  explicit ReshapeRun(const Shape& row_shape)
      : InferenceRun(Operator::kReshape,
                     {{"allowzero", I{0}}, {"shape", Integers()}}) {
    Batched(row_shape);
  }
  ReshapeRun& To(const Integers& target) {
    Constant(Int64Tensor({static_cast<I>(target.size())}, target));
    return *this;
  }
};

InferenceRun Axis(Operator op, I axis) {
  return InferenceRun(op, {{"axis", axis}});
}

TEST(LayoutInferenceTest, FlattenKeepsBatchFirst) {
  for (const I axis : {1, -2}) {
    InferenceRun run = Axis(Operator::kFlatten, axis);
    EXPECT_EQ(run.Batched({3, 4}).InferShape(&InferFlatten), (Shape{-1, 12}));
  }
  InferenceRun ones = Axis(Operator::kFlatten, 2);
  EXPECT_EQ(ones.Batched({1, 4}).InferShape(&InferFlatten), (Shape{-1, 4}));
  InferenceRun vector = Axis(Operator::kFlatten, 1);
  EXPECT_EQ(vector.Batched({}).InferShape(&InferFlatten), (Shape{-1, 1}));
}

TEST(LayoutInferenceTest, FlattenRefusesAxisThatMixesRows) {
  for (const I axis : {0, 2, 3}) {
    InferenceRun run = Axis(Operator::kFlatten, axis);
    EXPECT_EQ(run.Batched({3, 4}).Infer(&InferFlatten).status().code(),
              kUnimplemented)
        << axis;
  }
}

TEST(LayoutInferenceTest, FlattenSplitsConstantsAtAnyAxis) {
  InferenceRun run = Axis(Operator::kFlatten, 2);
  EXPECT_EQ(run.Constant({2, 3, 4}).InferShape(&InferFlatten), (Shape{6, 4}));
}

TEST(LayoutInferenceTest, ReshapeKeepsBatchForEverySpellingOfIt) {
  EXPECT_EQ(ReshapeRun({3, 4}).To({-1, 12}).InferShape(&InferReshape),
            (Shape{-1, 12}));
  EXPECT_EQ(ReshapeRun({3, 4}).To({0, -1}).InferShape(&InferReshape),
            (Shape{-1, 12}));
  EXPECT_EQ(ReshapeRun({3, 4}).To({0, 0, 2, 2}).InferShape(&InferReshape),
            (Shape{-1, 3, 2, 2}));
  EXPECT_EQ(ReshapeRun({1}).To({-1}).InferShape(&InferReshape), (Shape{-1}));
  ReshapeRun fixed({3, 4});
  fixed.fixed_rows = 5;
  EXPECT_EQ(fixed.To({5, -1}).InferShape(&InferReshape), (Shape{-1, 12}));
}

TEST(LayoutInferenceTest, ReshapeRefusesWhatMixesRows) {
  for (const Integers& target :
       {Integers{-1}, Integers{-1, 3}, Integers{12}, Integers{5, 12},
        Integers{0, 11}, Integers{}}) {
    EXPECT_THAT(ReshapeRun({3, 4}).To(target).Infer(&InferReshape).status(),
                Fails(kUnimplemented, "such as [-1,12]"))
        << ShapeText(target);
  }
}

TEST(LayoutInferenceTest, ReshapeRefusesBadTargets) {
  for (const Integers& target :
       {Integers{-1, -1}, Integers{-2, 12}, Integers{-1, 12, 1, 0}}) {
    EXPECT_EQ(
        ReshapeRun({3, 4}).To(target).Infer(&InferReshape).status().code(),
        kInvalid)
        << ShapeText(target);
  }
  EXPECT_EQ(ReshapeRun({3, 4}).Infer(&InferReshape).status().code(), kInvalid);
  EXPECT_THAT(ReshapeRun({1}).To(Integers(40, 1)).Infer(&InferReshape).status(),
              Fails(kUnimplemented, "40 dimensions"));
}

TEST(LayoutInferenceTest, ReshapeRefusesComputedTargets) {
  ReshapeRun run({3, 4});
  EXPECT_EQ(
      run.Batched({2}, DataType::kInt64).Infer(&InferReshape).status().code(),
      kUnimplemented);
}

TEST(LayoutInferenceTest, ReshapeTakesAttributeBeforeOpsetFive) {
  ReshapeRun run({3, 4});
  run.opset = 4;
  run.node.attributes["shape"] = Integers{-1, 12};
  EXPECT_EQ(run.InferShape(&InferReshape), (Shape{-1, 12}));
}

TEST(LayoutInferenceTest, ReshapeOfConstantsFillsOpenSize) {
  InferenceRun run(Operator::kReshape,
                   {{"allowzero", I{0}}, {"shape", Integers()}});
  EXPECT_EQ(run.Constant({2, 6})
                .Constant(Int64Tensor({2}, {3, -1}))
                .InferShape(&InferReshape),
            (Shape{3, 4}));
  InferenceRun bad(Operator::kReshape,
                   {{"allowzero", I{1}}, {"shape", Integers()}});
  EXPECT_EQ(bad.Constant({2, 6})
                .Constant(Int64Tensor({2}, {0, -1}))
                .Infer(&InferReshape)
                .status()
                .code(),
            kInvalid);
}

TEST(LayoutInferenceTest, GatherFromRowsByConstantIndices) {
  InferenceRun vector = Axis(Operator::kGather, -1);
  EXPECT_EQ(vector.Batched({3, 4})
                .Constant(Int64Tensor({2}, {-4, 3}))
                .InferShape(&InferGather),
            (Shape{-1, 3, 2}));
  InferenceRun scalar = Axis(Operator::kGather, 1);
  EXPECT_EQ(scalar.Batched({3, 4})
                .Constant(Int64Tensor({}, {0}))
                .InferShape(&InferGather),
            (Shape{-1, 4}));
}

TEST(LayoutInferenceTest, GatherFromTableByComputedIndices) {
  InferenceRun run = Axis(Operator::kGather, 0);
  EXPECT_EQ(run.Constant({10, 6})
                .Batched({2}, DataType::kInt32)
                .InferShape(&InferGather),
            (Shape{-1, 2, 6}));
}

TEST(LayoutInferenceTest, GatherRefusesIndexOutside) {
  for (const I index : {-5, 4}) {
    InferenceRun run = Axis(Operator::kGather, 1);
    EXPECT_THAT(run.Batched({4})
                    .Constant(Int64Tensor({1}, {index}))
                    .Infer(&InferGather)
                    .status(),
                Fails(kInvalid, "wanted -4 to 3"));
  }
}

TEST(LayoutInferenceTest, GatherRefusesFormsThatWeDoNotRun) {
  InferenceRun batch = Axis(Operator::kGather, 0);
  EXPECT_EQ(batch.Batched({4})
                .Constant(Int64Tensor({1}, {0}))
                .Infer(&InferGather)
                .status()
                .code(),
            kUnimplemented);
  InferenceRun both = Axis(Operator::kGather, 1);
  EXPECT_EQ(both.Batched({4})
                .Batched({1}, DataType::kInt64)
                .Infer(&InferGather)
                .status()
                .code(),
            kUnimplemented);
  InferenceRun columns = Axis(Operator::kGather, 1);
  EXPECT_EQ(columns.Constant({4, 4})
                .Batched({1}, DataType::kInt64)
                .Infer(&InferGather)
                .status()
                .code(),
            kUnimplemented);
  InferenceRun floats = Axis(Operator::kGather, 0);
  EXPECT_EQ(
      floats.Constant({4}).Batched({1}).Infer(&InferGather).status().code(),
      kInvalid);
}

TEST(LayoutInferenceTest, ConcatAddsSizesOfAxis) {
  InferenceRun run = Axis(Operator::kConcat, -1);
  EXPECT_EQ(run.Batched({3, 4}).Batched({3, 1}).InferShape(&InferConcat),
            (Shape{-1, 3, 5}));
}

TEST(LayoutInferenceTest, ConcatRefusesWhatItCannotJoin) {
  InferenceRun batch = Axis(Operator::kConcat, 0);
  EXPECT_EQ(batch.Batched({3}).Batched({3}).Infer(&InferConcat).status().code(),
            kUnimplemented);
  InferenceRun constant = Axis(Operator::kConcat, 1);
  EXPECT_EQ(constant.Batched({3})
                .Constant({1, 3})
                .Infer(&InferConcat)
                .status()
                .code(),
            kUnimplemented);
  InferenceRun sizes = Axis(Operator::kConcat, 1);
  EXPECT_EQ(
      sizes.Batched({3, 4}).Batched({3, 5}).Infer(&InferConcat).status().code(),
      kInvalid);
  InferenceRun ranks = Axis(Operator::kConcat, 1);
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

TEST(LayoutInferenceTest, TransposeRefusesToMoveTheBatch) {
  InferenceRun run(Operator::kTranspose, {{"perm", Integers{1, 0}}});
  EXPECT_EQ(run.Batched({3}).Infer(&InferTranspose).status().code(),
            kUnimplemented);
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
