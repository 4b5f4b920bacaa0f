#include "core/graph/reshape_inference.h"

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

TEST(ReshapeInferenceTest, FlattenKeepsBatchFirst) {
  for (const I axis : {1, -2}) {
    InferenceRun run = RunAlong(Operator::kFlatten, axis);
    EXPECT_EQ(run.Batched({3, 4}).InferShape(&InferFlatten), (Shape{-1, 12}));
  }
  InferenceRun ones = RunAlong(Operator::kFlatten, 2);
  EXPECT_EQ(ones.Batched({1, 4}).InferShape(&InferFlatten), (Shape{-1, 4}));
  InferenceRun vector = RunAlong(Operator::kFlatten, 1);
  EXPECT_EQ(vector.Batched({}).InferShape(&InferFlatten), (Shape{-1, 1}));
}

TEST(ReshapeInferenceTest, FlattenMovesBatchAtTheEnds) {
  InferenceRun first = RunAlong(Operator::kFlatten, 0);
  EXPECT_EQ(first.Batched({}).InferShape(&InferFlatten), (Shape{1, -1}));
}

TEST(ReshapeInferenceTest, FlattenRefusesMultiplesOfTheRows) {
  for (const I axis : {0, 2, 3}) {
    InferenceRun run = RunAlong(Operator::kFlatten, axis);
    EXPECT_THAT(run.Batched({3, 4}).Infer(&InferFlatten).status(),
                Fails(kUnimplemented, "multiple of the rows"))
        << axis;
  }
}

TEST(ReshapeInferenceTest, FlattenSplitsConstantsAtAnyAxis) {
  InferenceRun run = RunAlong(Operator::kFlatten, 2);
  EXPECT_EQ(run.Constant({2, 3, 4}).InferShape(&InferFlatten), (Shape{6, 4}));
}

TEST(ReshapeInferenceTest, ReshapeKeepsBatchForEverySpellingOfIt) {
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

TEST(ReshapeInferenceTest, ReshapeRefusesMultiplesOfTheRows) {
  for (const Integers& target :
       {Integers{-1}, Integers{-1, 3}, Integers{12}, Integers{5, 12},
        Integers{0, 11}, Integers{}}) {
    EXPECT_THAT(ReshapeRun({3, 4}).To(target).Infer(&InferReshape).status(),
                Fails(kUnimplemented, "such as [-1,12]"))
        << ShapeText(target);
  }
}

TEST(ReshapeInferenceTest, ReshapeMayMoveTheBatch) {
  EXPECT_EQ(ReshapeRun({3, 4}).To({12, -1}).InferShape(&InferReshape),
            (Shape{12, -1}));
}

TEST(ReshapeInferenceTest, ReshapeRefusesSizesThatOverflow) {
  const I huge = I{1} << 40U;
  EXPECT_THAT(
      ReshapeRun({3}).To({huge, huge, -1}).Infer(&InferReshape).status(),
      Fails(kInvalid, "overflow"));
}

TEST(ReshapeInferenceTest, SqueezeDropsSizesOfOne) {
  InferenceRun all(Operator::kSqueeze, {{"axes", Integers()}});
  EXPECT_EQ(all.Batched({1, 3, 1}).InferShape(&InferSqueeze), (Shape{-1, 3}));
  InferenceRun one(Operator::kSqueeze, {{"axes", Integers()}});
  EXPECT_EQ(one.Batched({1, 3, 1})
                .Constant(Int64Tensor({1}, {-1}))
                .InferShape(&InferSqueeze),
            (Shape{-1, 1, 3}));
  EXPECT_EQ(one.node.inputs.size(), 1U);
  InferenceRun bad(Operator::kSqueeze, {{"axes", Integers{1}}});
  EXPECT_THAT(bad.Batched({3}).Infer(&InferSqueeze).status(),
              Fails(kInvalid, "wanted one of size 1"));
}

TEST(ReshapeInferenceTest, UnsqueezeCountsAxesInTheResult) {
  InferenceRun run(Operator::kUnsqueeze, {{"axes", Integers{-1, 1}}});
  EXPECT_EQ(run.Batched({3}).InferShape(&InferUnsqueeze), (Shape{-1, 1, 3, 1}));
  InferenceRun none(Operator::kUnsqueeze, {{"axes", Integers()}});
  EXPECT_THAT(none.Batched({3}).Infer(&InferUnsqueeze).status(),
              Fails(kInvalid, "has no axes"));
  InferenceRun twice(Operator::kUnsqueeze, {{"axes", Integers{1, 1}}});
  EXPECT_THAT(twice.Batched({3}).Infer(&InferUnsqueeze).status(),
              Fails(kInvalid, "wanted each once"));
}

TEST(ReshapeInferenceTest, ShapeClampsItsRange) {
  InferenceRun run(Operator::kShape, {{"end", I{-1}}, {"start", I{-9}}});
  EXPECT_EQ(run.Batched({3, 4}).InferShape(&InferShape), (Shape{2}));
  InferenceRun empty(Operator::kShape, {{"end", I{1}}, {"start", I{2}}});
  EXPECT_EQ(empty.Batched({3, 4}).InferShape(&InferShape), (Shape{0}));
}

TEST(ReshapeInferenceTest, ReshapeRefusesBadTargets) {
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

TEST(ReshapeInferenceTest, ReshapeRefusesComputedTargets) {
  ReshapeRun run({3, 4});
  EXPECT_EQ(
      run.Batched({2}, DataType::kInt64).Infer(&InferReshape).status().code(),
      kUnimplemented);
}

TEST(ReshapeInferenceTest, ReshapeTakesAttributeBeforeOpsetFive) {
  ReshapeRun run({3, 4});
  run.opset = 4;
  run.node.attributes["shape"] = Integers{-1, 12};
  EXPECT_EQ(run.InferShape(&InferReshape), (Shape{-1, 12}));
}

TEST(ReshapeInferenceTest, ReshapeOfConstantsFillsOpenSize) {
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

}  // namespace
}  // namespace relu
