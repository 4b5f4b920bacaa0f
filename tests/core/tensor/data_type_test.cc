#include "core/tensor/data_type.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "gtest/gtest.h"

namespace relu {
namespace {

struct Expected {
  DataType type;
  std::string_view name;
  std::size_t size_bytes;
};

// The table of the V2 protocol.
constexpr std::array<Expected, 13> kExpected = {{
    {DataType::kBool, "BOOL", 1},
    {DataType::kUint8, "UINT8", 1},
    {DataType::kUint16, "UINT16", 2},
    {DataType::kUint32, "UINT32", 4},
    {DataType::kUint64, "UINT64", 8},
    {DataType::kInt8, "INT8", 1},
    {DataType::kInt16, "INT16", 2},
    {DataType::kInt32, "INT32", 4},
    {DataType::kInt64, "INT64", 8},
    {DataType::kFp16, "FP16", 2},
    {DataType::kBf16, "BF16", 2},
    {DataType::kFp32, "FP32", 4},
    {DataType::kFp64, "FP64", 8},
}};

TEST(DataTypeTest, NameAndSizeAreThoseOfTheProtocol) {
  for (const Expected& expected : kExpected) {
    EXPECT_EQ(DataTypeName(expected.type), expected.name);
    EXPECT_EQ(DataTypeSize(expected.type), expected.size_bytes)
        << expected.name;
  }
}

TEST(DataTypeTest, ParseIsTheInverseOfName) {
  for (const Expected& expected : kExpected) {
    EXPECT_EQ(ParseDataType(expected.name), expected.type) << expected.name;
  }
}

TEST(DataTypeTest, ParseOfOtherTextIsNothing) {
  for (const std::string_view name :
       {"", "BYTES", "fp32", "FP32 ", "FP", "FP322", "STRING"}) {
    EXPECT_EQ(ParseDataType(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace relu
