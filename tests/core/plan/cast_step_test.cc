#include "core/plan/cast_step.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

constexpr DataType kAllTypes[] = {
    DataType::kBool,   DataType::kUint8, DataType::kUint16, DataType::kUint32,
    DataType::kUint64, DataType::kInt8,  DataType::kInt16,  DataType::kInt32,
    DataType::kInt64,  DataType::kFp16,  DataType::kBf16,   DataType::kFp32,
    DataType::kFp64};

CompiledModel CastModel(DataType from, DataType to) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1}, from);
  builder.Output(
      builder.Node(Operator::kCast, {x}, {.row_shape = {1}, .type = to}));
  return CompileOrDie(builder.Build());
}

template <typename From, typename To>
std::vector<To> CastAll(DataType from, DataType to,
                        const std::vector<From>& values) {
  Tensor input(from, {static_cast<std::int64_t>(values.size()), 1});
  std::ranges::copy(values, input.As<From>().begin());
  const PlanRun run = RunPlan(CastModel(from, to), OneTensor(std::move(input)));
  const auto output = run.outputs[0].As<To>();
  return {output.begin(), output.end()};
}

TEST(CastStepTest, FloatToIntegerTruncatesAndSaturates) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values{1.9F,     -1.9F, 1e20F,  -1e20F,
                                  infinity, nan,   0x1p31F};
  EXPECT_THAT(
      (CastAll<float, std::int32_t>(DataType::kFp32, DataType::kInt32, values)),
      ElementsAre(1, -1, INT32_MAX, INT32_MIN, INT32_MAX, 0, INT32_MAX));
  EXPECT_THAT((CastAll<float, std::uint8_t>(DataType::kFp32, DataType::kUint8,
                                            {-0.9F, -3, 255.5F, 256})),
              ElementsAre(0, 0, 255, 255));
  EXPECT_THAT((CastAll<double, std::int64_t>(DataType::kFp64, DataType::kInt64,
                                             {0x1p63, -0x1p63, 1e9})),
              ElementsAre(INT64_MAX, INT64_MIN, 1000000000));
}

TEST(CastStepTest, IntegerToIntegerWrapsAround) {
  EXPECT_THAT((CastAll<std::int64_t, std::int8_t>(
                  DataType::kInt64, DataType::kInt8, {127, 128, -129})),
              ElementsAre(127, -128, 127));
}

TEST(CastStepTest, IntegerToFloatIsRoundedOnce) {
  // 2^24 + 1 lies half way; ties go to even.
  EXPECT_THAT((CastAll<std::int64_t, float>(DataType::kInt64, DataType::kFp32,
                                            {16777217, 16777219})),
              ElementsAre(16777216.0F, 16777220.0F));
}

TEST(CastStepTest, BooleanIsAnyByteButZero) {
  EXPECT_THAT((CastAll<std::uint8_t, float>(DataType::kBool, DataType::kFp32,
                                            {0, 1, 2})),
              ElementsAre(0, 1, 1));
  EXPECT_THAT((CastAll<float, std::uint8_t>(
                  DataType::kFp32, DataType::kBool,
                  {0, -0.0F, 0.1F, std::numeric_limits<float>::quiet_NaN()})),
              ElementsAre(0, 0, 1, 1));
}

TEST(CastStepTest, HalfTypesAreWidenedAtInputsAndRoundedAtOutputs) {
  EXPECT_THAT((CastAll<std::uint16_t, float>(DataType::kFp16, DataType::kFp32,
                                             {FloatToFp16(1.5F)})),
              ElementsAre(1.5F));
  EXPECT_THAT((CastAll<std::uint16_t, std::uint16_t>(
                  DataType::kFp16, DataType::kBf16, {FloatToFp16(1.5F)})),
              ElementsAre(FloatToBf16(1.5F)));
  EXPECT_THAT((CastAll<std::int32_t, std::uint16_t>(DataType::kInt32,
                                                    DataType::kBf16, {3})),
              ElementsAre(FloatToBf16(3.0F)));
}

TEST(CastStepTest, EveryPairOfTypesKeepsOne) {
  for (const DataType from : kAllTypes) {
    for (const DataType to : kAllTypes) {
      const CompiledModel make_one = CastModel(DataType::kInt32, from);
      Tensor one(DataType::kInt32, {1, 1});
      one.As<std::int32_t>()[0] = 1;
      PlanRun there = RunPlan(make_one, OneTensor(std::move(one)));
      PlanRun across = RunPlan(CastModel(from, to), std::move(there.outputs));
      const PlanRun back =
          RunPlan(CastModel(to, DataType::kInt32), std::move(across.outputs));
      EXPECT_EQ(back.outputs[0].As<std::int32_t>()[0], 1)
          << DataTypeName(from) << " to " << DataTypeName(to);
    }
  }
}

TEST(CastStepTest, DescribeNamesTypesAndNothingWhenNothingIsDone) {
  EXPECT_EQ(CastModel(DataType::kFp32, DataType::kInt64).Describe(),
            "cast 1 FP32 to INT64\n");
  EXPECT_EQ(CastModel(DataType::kInt8, DataType::kInt8).Describe(), "");
}

}  // namespace
}  // namespace relu
