#include "client/cli/number.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/tensor/data_type.h"

namespace relu {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The element that `number` becomes, read back as T.
template <typename T>
T Stored(const Number& number, DataType type) {
  std::vector<std::byte> bytes;
  EXPECT_TRUE(AppendElement(number, type, bytes).ok());
  EXPECT_EQ(bytes.size(), sizeof(T));
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

absl::Status AppendError(const Number& number, DataType type) {
  std::vector<std::byte> bytes;
  const absl::Status status = AppendElement(number, type, bytes);
  EXPECT_TRUE(bytes.empty());
  return status;
}

template <typename T>
std::string TextOf(T value, DataType type) {
  return ElementText(type, reinterpret_cast<const std::byte*>(&value));
}

TEST(NumberTest, WholeNumbersKeepAllOfTheirDigits) {
  EXPECT_EQ(ParseNumber("-9223372036854775808"),
            Number(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(ParseNumber("18446744073709551615"),
            Number(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(ParseNumber("+7"), Number(std::int64_t{7}));
}

TEST(NumberTest, OtherNumbersAreDoubles) {
  EXPECT_EQ(ParseNumber("0.5"), Number(0.5));
  EXPECT_EQ(ParseNumber("-1e-3"), Number(-1e-3));
  EXPECT_EQ(ParseNumber("inf"), Number(kInfinity));
  EXPECT_TRUE(std::isnan(ToDouble(ParseNumber("nan").value())));
}

TEST(NumberTest, OtherTextsAreNoNumbers) {
  for (const char* text : {"", "x", "1x", "1,5", "0x10", "+", "-", "+-1", "++1",
                           " 1", "1e999", "1 2"}) {
    EXPECT_EQ(ParseNumber(text), std::nullopt) << text;
  }
}

TEST(NumberTest, NumberTextIsWhatAPersonWrites) {
  EXPECT_EQ(NumberText(std::int64_t{-7}), "-7");
  EXPECT_EQ(NumberText(0.1), "0.1");
  EXPECT_EQ(NumberText(7.0), "7");
}

TEST(NumberTest, ElementsAreStoredInEveryType) {
  const Number three = std::int64_t{3};
  EXPECT_EQ(Stored<std::uint8_t>(std::int64_t{1}, DataType::kBool), 1);
  EXPECT_EQ(Stored<std::uint8_t>(three, DataType::kUint8), 3);
  EXPECT_EQ(Stored<std::uint16_t>(three, DataType::kUint16), 3);
  EXPECT_EQ(Stored<std::uint32_t>(three, DataType::kUint32), 3U);
  EXPECT_EQ(Stored<std::uint64_t>(three, DataType::kUint64), 3U);
  EXPECT_EQ(Stored<std::int8_t>(three, DataType::kInt8), 3);
  EXPECT_EQ(Stored<std::int16_t>(three, DataType::kInt16), 3);
  EXPECT_EQ(Stored<std::int32_t>(three, DataType::kInt32), 3);
  EXPECT_EQ(Stored<std::int64_t>(three, DataType::kInt64), 3);
  EXPECT_EQ(Stored<std::uint16_t>(three, DataType::kFp16), 0x4200);
  EXPECT_EQ(Stored<std::uint16_t>(three, DataType::kBf16), 0x4040);
  EXPECT_EQ(Stored<float>(three, DataType::kFp32), 3.0F);
  EXPECT_EQ(Stored<double>(three, DataType::kFp64), 3.0);
}

TEST(NumberTest, ElementsAreLoadedAsTheyWereStored) {
  for (int i = 0; i <= static_cast<int>(DataType::kFp64); ++i) {
    const auto type = static_cast<DataType>(i);
    std::vector<std::byte> bytes;
    ASSERT_TRUE(AppendElement(Number(std::int64_t{1}), type, bytes).ok());
    EXPECT_EQ(ToDouble(LoadElement(type, bytes.data())), 1.0)
        << DataTypeName(type);
  }
}

TEST(NumberTest, WholeDoublesAreIntegers) {
  EXPECT_EQ(Stored<std::int8_t>(-3.0, DataType::kInt8), -3);
  EXPECT_EQ(Stored<std::uint64_t>(0x1p63, DataType::kUint64), 1ULL << 63);
}

TEST(NumberTest, FractionsAreNoIntegers) {
  for (const double value : {0.5, std::nan("")}) {
    EXPECT_EQ(AppendError(value, DataType::kInt64).code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(AppendError(0.5, DataType::kInt32).message(),
            "0.5 is not an integer, which INT32 wants");
}

TEST(NumberTest, IntegersOutOfRangeAreRefused) {
  EXPECT_EQ(AppendError(std::int64_t{128}, DataType::kInt8).message(),
            "128 is out of range of INT8");
  EXPECT_FALSE(AppendError(std::int64_t{-1}, DataType::kUint64).ok());
  EXPECT_FALSE(AppendError(std::uint64_t{1} << 63, DataType::kInt64).ok());
  EXPECT_FALSE(AppendError(0x1p64, DataType::kUint64).ok());
  EXPECT_FALSE(AppendError(0x1p63, DataType::kInt64).ok());
  EXPECT_FALSE(AppendError(kInfinity, DataType::kInt64).ok());
  EXPECT_FALSE(AppendError(std::int64_t{2}, DataType::kBool).ok());
}

TEST(NumberTest, FloatsOutOfRangeAreRefusedButInfinityIsKept) {
  EXPECT_EQ(AppendError(1e39, DataType::kFp32).message(),
            "1e+39 is out of range of FP32");
  EXPECT_FALSE(AppendError(65'520.0, DataType::kFp16).ok());
  EXPECT_FALSE(AppendError(1e39, DataType::kBf16).ok());
  EXPECT_EQ(Stored<float>(kInfinity, DataType::kFp32),
            std::numeric_limits<float>::infinity());
  EXPECT_EQ(Stored<float>(1e-60, DataType::kFp32), 0.0F);
}

TEST(NumberTest, ElementTextIsShortAndReadBackAsTheSameValue) {
  EXPECT_EQ(TextOf(0.1F, DataType::kFp32), "0.1");
  EXPECT_EQ(TextOf(0.1, DataType::kFp64), "0.1");
  EXPECT_EQ(TextOf(1.0F / 3, DataType::kFp32), "0.33333334");
  EXPECT_EQ(TextOf(std::uint16_t{0x3C00}, DataType::kFp16), "1");
  EXPECT_EQ(TextOf(std::int8_t{-5}, DataType::kInt8), "-5");
  EXPECT_EQ(TextOf(std::uint8_t{1}, DataType::kBool), "true");
  EXPECT_EQ(
      TextOf(std::numeric_limits<std::uint64_t>::max(), DataType::kUint64),
      "18446744073709551615");
}

TEST(NumberTest, TextOfNanHasNoSign) {
  const double nan = -std::nan("");
  EXPECT_EQ(NumberText(nan), "nan");
  std::vector<std::byte> element;
  for (const DataType type :
       {DataType::kFp16, DataType::kFp32, DataType::kFp64}) {
    element.clear();
    ASSERT_TRUE(AppendElement(nan, type, element).ok());
    EXPECT_EQ(ElementText(type, element.data()), "nan");
    EXPECT_EQ(ShortElementText(type, element.data()), "nan");
  }
}

TEST(NumberTest, ShortElementTextHasSixDigits) {
  const float third = 1000.0F / 3;
  const std::int64_t large = 123'456'789;
  EXPECT_EQ(ShortElementText(DataType::kFp32,
                             reinterpret_cast<const std::byte*>(&third)),
            "333.333");
  EXPECT_EQ(ShortElementText(DataType::kInt64,
                             reinterpret_cast<const std::byte*>(&large)),
            "123456789");
}

}  // namespace
}  // namespace relu
