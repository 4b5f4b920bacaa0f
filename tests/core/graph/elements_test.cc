#include "core/graph/elements.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr DataType kAllTypes[] = {
    DataType::kBool,   DataType::kUint8, DataType::kUint16, DataType::kUint32,
    DataType::kUint64, DataType::kInt8,  DataType::kInt16,  DataType::kInt32,
    DataType::kInt64,  DataType::kFp16,  DataType::kBf16,   DataType::kFp32,
    DataType::kFp64};

Tensor Make(DataType type, const std::vector<double>& values) {
  return FromDoubles(type, {static_cast<std::int64_t>(values.size())}, values);
}

TEST(ElementsTest, DoublesComeBackWhenTypeHoldsThem) {
  for (const DataType type : kAllTypes) {
    EXPECT_THAT(ToDoubles(Make(type, {0, 1})), ElementsAre(0, 1))
        << DataTypeName(type);
  }
}

TEST(ElementsTest, IntegersComeBackWhenTypeHoldsThem) {
  for (const DataType type : kAllTypes) {
    if (!IsFloatingPoint(type)) {
      const std::vector<std::int64_t> values = {0, 1};
      EXPECT_THAT(ToIntegers(FromIntegers(type, {2}, values)),
                  ElementsAre(0, 1))
          << DataTypeName(type);
    }
  }
}

TEST(ElementsTest, FloatIsRoundedToNearestWhenTypeIsNarrow) {
  EXPECT_EQ(ToDoubles(Make(DataType::kFp32, {0.1}))[0],
            static_cast<double>(0.1F));
  EXPECT_EQ(ToDoubles(Make(DataType::kFp16, {2049}))[0], 2048);
  EXPECT_EQ(ToDoubles(Make(DataType::kBf16, {257}))[0], 256);
}

TEST(ElementsTest, FloatKeepsWithinRangeWhenTypeIsInteger) {
  EXPECT_THAT(ToDoubles(Make(DataType::kInt8, {-3.9, 3.9, 200, -200, NAN})),
              ElementsAre(-3, 3, 127, -128, 0));
  EXPECT_THAT(ToDoubles(Make(DataType::kUint8, {-1, 255.5, kInfinity})),
              ElementsAre(0, 255, 255));
  EXPECT_THAT(ToIntegers(Make(DataType::kInt64, {1e300, -1e300})),
              ElementsAre(std::numeric_limits<std::int64_t>::max(),
                          std::numeric_limits<std::int64_t>::min()));
}

TEST(ElementsTest, RoundsAsATensorOfTheTypeDoes) {
  for (const DataType type : kAllTypes) {
    const std::vector<double> values = {0.1, -2.7, 3e9, 1e300, kInfinity, 7};
    std::vector<double> rounded = values;
    RoundTo(type, rounded);
    EXPECT_EQ(rounded, ToDoubles(Make(type, values))) << DataTypeName(type);
  }
}

TEST(ElementsTest, BooleanIsOneWhenByteIsNotZero) {
  Tensor tensor(DataType::kBool, {2});
  tensor.As<std::uint8_t>()[1] = 7;
  EXPECT_THAT(ToDoubles(tensor), ElementsAre(0, 1));
  EXPECT_THAT(ToDoubles(Make(DataType::kBool, {0, -0.5, NAN})),
              ElementsAre(0, 1, 1));
}

TEST(ElementsTest, IntegersAreExactBeyondDoubles) {
  const std::vector<std::int64_t> values = {(std::int64_t{1} << 60) + 1};
  EXPECT_EQ(ToIntegers(FromIntegers(DataType::kInt64, {1}, values)), values);
}

TEST(ElementsTest, IntegersWrapAroundWhenTypeIsNarrow) {
  const std::vector<std::int64_t> values = {257, -1};
  EXPECT_THAT(ToIntegers(FromIntegers(DataType::kUint8, {2}, values)),
              ElementsAre(1, 255));
}

TEST(ElementsTest, IntegersStopProcessWhenTypeIsFloatingPoint) {
  EXPECT_DEATH(ToIntegers(Make(DataType::kFp32, {1})), "CHECK failed");
}

TEST(ElementsTest, IsFiniteFindsNanAndInfinityInEveryFloatingPointType) {
  for (const DataType type : kAllTypes) {
    EXPECT_TRUE(IsFinite(Make(type, {1, 0}))) << DataTypeName(type);
    if (IsFloatingPoint(type)) {
      EXPECT_FALSE(IsFinite(Make(type, {1, NAN}))) << DataTypeName(type);
      EXPECT_FALSE(IsFinite(Make(type, {-kInfinity}))) << DataTypeName(type);
    }
  }
}

}  // namespace
}  // namespace relu
