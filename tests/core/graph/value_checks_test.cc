#include "core/graph/value_checks.h"

#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"

namespace relu {
namespace {

TEST(ValueChecksTest, SizesWithinTheLimitsPass) {
  EXPECT_TRUE(CheckSize("v", {DataType::kFp32, {kBatchDim, 1 << 28}}).ok());
  EXPECT_TRUE(CheckSize("v", {DataType::kFp32, Shape(kMaxRank, 1)}).ok());
}

TEST(ValueChecksTest, TooManyElementsInARowAreRefused) {
  EXPECT_THAT(CheckSize("v", {DataType::kInt8, {kBatchDim, (1 << 28) + 1}}),
              Fails(kUnimplemented, "value \"v\", shape [-1,268435457]: more"));
}

TEST(ValueChecksTest, SizeOfZeroDoesNotHideOthers) {
  EXPECT_THAT(
      CheckSize("v", {DataType::kFp32, {0, std::int64_t{1} << 40, 1 << 30}}),
      Fails(kUnimplemented, "more elements"));
}

TEST(ValueChecksTest, TooManyDimensionsAreRefused) {
  EXPECT_THAT(CheckSize("v", {DataType::kFp32, Shape(kMaxRank + 1, 1)}),
              Fails(kUnimplemented, "33 dimensions, the most is 32"));
}

TEST(ValueChecksTest, RowsHaveElements) {
  EXPECT_TRUE(CheckRowSize("v", {DataType::kFp32, {kBatchDim, 1}}).ok());
  EXPECT_TRUE(CheckRowSize("v", {DataType::kFp32, {0}}).ok());  // A constant.
  EXPECT_THAT(CheckRowSize("v", {DataType::kFp32, {kBatchDim, 3, 0}}),
              Fails(kUnimplemented, "value \"v\" has shape [-1,3,0]"));
}

TEST(ValueChecksTest, ConstantsMustBeFinite) {
  EXPECT_TRUE(CheckFinite("c", FloatTensor({2}, {1, -2})).ok());
  for (const float number : {NAN, INFINITY, -INFINITY}) {
    EXPECT_THAT(CheckFinite("c", FloatTensor({2}, {1, number})),
                Fails(kInvalid, "constant \"c\" has an element that is NaN"));
  }
}

}  // namespace
}  // namespace relu
