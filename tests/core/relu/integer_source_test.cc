#include "core/relu/integer_source.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

#include "core/relu/interval.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

// An element of floats as `type`.
IntegerSource FloatAs(DataType type) {
  IntegerSource source = ElementSource(0, type);
  source.is_float = true;
  return source;
}

TEST(IntegerSourceTest, FloatsAreKeptWithinTheRangeOfTheType) {
  const IntegerSource bytes = FloatAs(DataType::kUint8);
  EXPECT_EQ(IntegerOf(bytes, 300), 255);
  EXPECT_EQ(IntegerOf(bytes, -3), 0);
  EXPECT_EQ(IntegerOf(bytes, 2.9), 2);
  EXPECT_EQ(IntegerOf(FloatAs(DataType::kInt8), -2.9), -2);
  EXPECT_EQ(IntegerOf(FloatAs(DataType::kInt8), -1e30), -128);
  EXPECT_EQ(IntegerOf(FloatAs(DataType::kInt64), 1e30),
            std::numeric_limits<std::int64_t>::max());
}

TEST(IntegerSourceTest, FloatsAreRoundedToFloat32First) {
  EXPECT_EQ(IntegerOf(FloatAs(DataType::kInt32), 2.9999999999), 3);
  EXPECT_EQ(IntegerOf(FloatAs(DataType::kInt32), 16777217), 16777216);
  // An integer is not.
  EXPECT_EQ(IntegerOf(ElementSource(0, DataType::kInt32), 16777217), 16777217);
}

TEST(IntegerSourceTest, ArithmeticWrapsAround) {
  IntegerSource source = ElementSource(0, DataType::kInt8);
  Multiply(source, 3);
  Add(source, 10);
  EXPECT_EQ(IntegerOf(source, 20), 70);
  EXPECT_EQ(IntegerOf(source, 100), 310 - 256);
  IntegerSource wide = ElementSource(0, DataType::kInt64);
  Add(wide, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(IntegerOf(wide, 1), std::numeric_limits<std::int64_t>::min());
}

TEST(IntegerSourceTest, CastsWrapAround) {
  IntegerSource source = ElementSource(0, DataType::kInt32);
  ASSERT_TRUE(CastTo(DataType::kUint8, source));
  EXPECT_EQ(IntegerOf(source, 300), 44);
  EXPECT_EQ(IntegerOf(source, -1), 255);
  ASSERT_TRUE(CastTo(DataType::kInt8, source));
  EXPECT_EQ(IntegerOf(source, 255), -1);
  EXPECT_EQ(IntegerOf(source, 300), 44);
}

TEST(IntegerSourceTest, WiderTypeOfWhatMayHaveWrappedIsNone) {
  IntegerSource source = ElementSource(0, DataType::kInt32);
  ASSERT_TRUE(CastTo(DataType::kInt64, source));
  EXPECT_EQ(IntegerOf(source, -7), -7);
  ASSERT_TRUE(CastTo(DataType::kInt8, source));
  EXPECT_FALSE(CastTo(DataType::kInt16, source));
  EXPECT_EQ(source.type, DataType::kInt8);
  // 255 + 1 fits INT16, and -128 is no UINT8.
  IntegerSource small = ElementSource(0, DataType::kUint8);
  ASSERT_TRUE(CastTo(DataType::kInt16, small));
  Add(small, 1);
  EXPECT_TRUE(CastTo(DataType::kInt64, small));
  IntegerSource sum = ElementSource(0, DataType::kInt8);
  Add(sum, 1);
  EXPECT_FALSE(CastTo(DataType::kInt64, sum));
}

TEST(IntegerSourceTest, TruthValuesAreZeroAndOne) {
  IntegerSource source = ElementSource(0, DataType::kBool);
  ASSERT_TRUE(CastTo(DataType::kInt64, source));
  EXPECT_EQ(IntegerOf(source, 1), 1);
}

TEST(IntegerSourceTest, IntervalsAreScaledAndKeptWithinTheRange) {
  IntegerSource source = FloatAs(DataType::kUint8);
  Interval found = IntegersOf(source, {.low = -5, .high = 300});
  EXPECT_EQ(found.low, 0);
  EXPECT_EQ(found.high, 255);
  ASSERT_TRUE(CastTo(DataType::kInt16, source));
  Multiply(source, -2);
  found = IntegersOf(source, {.low = 2.5, .high = 10});
  EXPECT_EQ(found.low, -20);
  EXPECT_EQ(found.high, -4);
}

TEST(IntegerSourceTest, EndsOfIntervalsAreRoundedToFloat32First) {
  const Interval found = IntegersOf(FloatAs(DataType::kInt32),
                                    {.low = 2.9999999999, .high = 16777217});
  EXPECT_EQ(found.low, 3);
  EXPECT_EQ(found.high, 16777216);
}

TEST(IntegerSourceTest, IntervalOfWhatMayWrapIsThatOfTheType) {
  IntegerSource source = ElementSource(0, DataType::kInt8);
  Add(source, 100);
  Interval found = IntegersOf(source, {.low = 0, .high = 27});
  EXPECT_EQ(found.high, 127);
  EXPECT_EQ(found.low, 100);
  found = IntegersOf(source, {.low = 0, .high = 28});
  EXPECT_EQ(found.high, 127);
  EXPECT_EQ(found.low, -128);
  IntegerSource wide = ElementSource(0, DataType::kInt64);
  found = IntegersOf(wide, {.low = -kUnbounded, .high = 0x1p60});
  EXPECT_EQ(found.low, -0x1p63);
  EXPECT_EQ(found.high, 0x1p60);
  Add(wide, 1);
  found = IntegersOf(wide, {.low = 0, .high = 0x1p60});
  EXPECT_EQ(found.high, 0x1p63);
}

}  // namespace
}  // namespace relu
