#include "core/graph/inference_checks.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

// Runs one check in the place of an inference function.
template <typename Check>
absl::Status RunCheck(InferenceRun& run, Check) {
  return run
      .Infer([](InferenceContext& context) -> absl::StatusOr<OutputTypes> {
        const absl::Status status = Check()(context);
        return status.ok() ? absl::StatusOr<OutputTypes>(OutputTypes(1))
                           : absl::StatusOr<OutputTypes>(status);
      })
      .status();
}

TEST(InferenceChecksTest, ErrorsNameTheNode) {
  InferenceRun run(Operator::kRelu);
  EXPECT_THAT(
      RunCheck(run, [](InferenceContext& c) { return Invalid(c, "why"); }),
      Fails(kInvalid, "node \"n\" (Relu): why"));
  EXPECT_THAT(
      RunCheck(run, [](InferenceContext& c) { return Unsupported(c, "why"); }),
      Fails(kUnimplemented, "node \"n\" (Relu): why"));
  EXPECT_THAT(RunCheck(run, [](InferenceContext& c) { return MixesRows(c); }),
              Fails(kUnimplemented, "across the rows"));
}

TEST(InferenceChecksTest, FloatingPointCheckRefusesIntegers) {
  const auto check = [](InferenceContext& c) { return CheckFloatingPoint(c); };
  InferenceRun good(Operator::kAdd);
  EXPECT_TRUE(
      RunCheck(good.Batched({1}, DataType::kBf16).LeftOut(), check).ok());
  InferenceRun bad(Operator::kAdd);
  EXPECT_THAT(RunCheck(bad.Batched({1}, DataType::kInt64), check),
              Fails(kUnimplemented, "input \"x\", INT64 [-1,1]"));
}

TEST(InferenceChecksTest, SameTypeCheckRefusesTwoTypes) {
  const auto check = [](InferenceContext& c) { return CheckSameType(c); };
  InferenceRun good(Operator::kAdd);
  EXPECT_TRUE(RunCheck(good.Batched({1}).Constant({1}), check).ok());
  InferenceRun bad(Operator::kAdd);
  EXPECT_THAT(RunCheck(bad.Batched({1}).Constant({1}, DataType::kFp64), check),
              Fails(kInvalid, "wanted one type"));
}

TEST(InferenceChecksTest, AxisCountsFromTheFrontAfterwards) {
  InferenceRun run(Operator::kArgMax, {{"axis", std::int64_t{-1}}});
  EXPECT_TRUE(RunCheck(run, [](InferenceContext& c) {
                return NormalizeAxis(c, 3).status();
              }).ok());
  EXPECT_EQ(IntAttribute(run.node, "axis"), 2);
}

TEST(InferenceChecksTest, AxisIsRefusedWhenOutside) {
  const auto check = [](InferenceContext& c) {
    return NormalizeAxis(c, 2).status();
  };
  for (const std::int64_t axis : {-3, 2, 7}) {
    InferenceRun run(Operator::kArgMax, {{"axis", axis}});
    EXPECT_THAT(RunCheck(run, check), Fails(kInvalid, "wanted -2 to 1"))
        << axis;
  }
}

TEST(InferenceChecksTest, ConstantIntegersGivesElements) {
  InferenceRun run(Operator::kReshape);
  run.Constant(Int64Tensor({2}, {-1, 3}));
  EXPECT_TRUE(RunCheck(run, [](InferenceContext& c) {
                const auto integers = ConstantIntegers(c, 0);
                EXPECT_EQ(*integers, (std::vector<std::int64_t>{-1, 3}));
                return integers.status();
              }).ok());
}

TEST(InferenceChecksTest, ConstantIntegersRefusesComputedValuesAndFloats) {
  const auto check = [](InferenceContext& c) {
    return ConstantIntegers(c, 0).status();
  };
  InferenceRun computed(Operator::kReshape);
  EXPECT_THAT(RunCheck(computed.Batched({2}, DataType::kInt64), check),
              Fails(kUnimplemented, "wanted a constant"));
  InferenceRun floats(Operator::kReshape);
  EXPECT_THAT(RunCheck(floats.Constant({2}), check),
              Fails(kInvalid, "wanted INT64 or INT32"));
}

}  // namespace
}  // namespace relu
