#include "server/typed_contents.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/tensor/data_type.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

using inference::InferTensorContents;
using testing::HasSubstr;

// What TypedContents() makes of `contents`, as elements of T.
template <typename T>
std::vector<T> Elements(const InferTensorContents& contents, DataType type) {
  std::vector<std::byte> buffer;
  const auto bytes = TypedContents(contents, type, buffer);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  if (!bytes.ok()) {
    return {};
  }
  std::vector<T> elements(bytes->size() / sizeof(T));
  std::ranges::copy(*bytes,
                    std::as_writable_bytes(std::span(elements)).begin());
  return elements;
}

absl::Status Refusal(const InferTensorContents& contents, DataType type) {
  std::vector<std::byte> buffer;
  return TypedContents(contents, type, buffer).status();
}

template <typename T>
std::vector<T> Limits() {
  return {std::numeric_limits<T>::lowest(), T{1},
          std::numeric_limits<T>::max()};
}

TEST(TypedContentsTest, SignedIntegersComeFromTheirFields) {
  InferTensorContents small;
  for (const std::int8_t value : Limits<std::int8_t>()) {
    small.add_int_contents(value);
  }
  EXPECT_EQ(Elements<std::int8_t>(small, DataType::kInt8),
            Limits<std::int8_t>());
  InferTensorContents medium;
  for (const std::int16_t value : Limits<std::int16_t>()) {
    medium.add_int_contents(value);
  }
  EXPECT_EQ(Elements<std::int16_t>(medium, DataType::kInt16),
            Limits<std::int16_t>());
  InferTensorContents large;
  for (const std::int32_t value : Limits<std::int32_t>()) {
    large.add_int_contents(value);
  }
  EXPECT_EQ(Elements<std::int32_t>(large, DataType::kInt32),
            Limits<std::int32_t>());
  InferTensorContents huge;
  for (const std::int64_t value : Limits<std::int64_t>()) {
    huge.add_int64_contents(value);
  }
  EXPECT_EQ(Elements<std::int64_t>(huge, DataType::kInt64),
            Limits<std::int64_t>());
}

TEST(TypedContentsTest, UnsignedIntegersComeFromTheirFields) {
  InferTensorContents small;
  for (const std::uint8_t value : Limits<std::uint8_t>()) {
    small.add_uint_contents(value);
  }
  EXPECT_EQ(Elements<std::uint8_t>(small, DataType::kUint8),
            Limits<std::uint8_t>());
  InferTensorContents medium;
  for (const std::uint16_t value : Limits<std::uint16_t>()) {
    medium.add_uint_contents(value);
  }
  EXPECT_EQ(Elements<std::uint16_t>(medium, DataType::kUint16),
            Limits<std::uint16_t>());
  InferTensorContents large;
  for (const std::uint32_t value : Limits<std::uint32_t>()) {
    large.add_uint_contents(value);
  }
  EXPECT_EQ(Elements<std::uint32_t>(large, DataType::kUint32),
            Limits<std::uint32_t>());
  InferTensorContents huge;
  for (const std::uint64_t value : Limits<std::uint64_t>()) {
    huge.add_uint64_contents(value);
  }
  EXPECT_EQ(Elements<std::uint64_t>(huge, DataType::kUint64),
            Limits<std::uint64_t>());
}

TEST(TypedContentsTest, FloatsComeFromTheirFields) {
  InferTensorContents single;
  for (const float value : Limits<float>()) {
    single.add_fp32_contents(value);
  }
  EXPECT_EQ(Elements<float>(single, DataType::kFp32), Limits<float>());
  InferTensorContents twice;
  for (const double value : Limits<double>()) {
    twice.add_fp64_contents(value);
  }
  EXPECT_EQ(Elements<double>(twice, DataType::kFp64), Limits<double>());
}

TEST(TypedContentsTest, BoolsAreBytes) {
  InferTensorContents contents;
  contents.add_bool_contents(true);
  contents.add_bool_contents(false);
  EXPECT_EQ(Elements<std::uint8_t>(contents, DataType::kBool),
            (std::vector<std::uint8_t>{1, 0}));
}

TEST(TypedContentsTest, SameFormInMemoryIsNotCopied) {
  InferTensorContents contents;
  contents.add_fp32_contents(1);
  std::vector<std::byte> buffer;
  const auto bytes = TypedContents(contents, DataType::kFp32, buffer);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(static_cast<const void*>(bytes->data()),
            static_cast<const void*>(contents.fp32_contents().data()));
  EXPECT_TRUE(buffer.empty());
}

TEST(TypedContentsTest, NoElementsAreNoBytes) {
  EXPECT_TRUE(Elements<float>(InferTensorContents(), DataType::kFp32).empty());
  EXPECT_TRUE(
      Elements<std::int8_t>(InferTensorContents(), DataType::kInt8).empty());
}

TEST(TypedContentsTest, ElementOutOfRangeReturnsInvalidArgument) {
  for (const auto& [type, value] :
       std::vector<std::pair<DataType, std::int32_t>>{
           {DataType::kInt8, 128},
           {DataType::kInt8, -129},
           {DataType::kInt16, 32768},
           {DataType::kInt16, -32769}}) {
    InferTensorContents contents;
    contents.add_int_contents(0);
    contents.add_int_contents(value);
    const absl::Status status = Refusal(contents, type);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(
        std::string(status.message()),
        AllOf(HasSubstr("element 1"), HasSubstr(std::to_string(value))));
  }
  for (const auto& [type, value] :
       std::vector<std::pair<DataType, std::uint32_t>>{
           {DataType::kUint8, 256}, {DataType::kUint16, 65536}}) {
    InferTensorContents contents;
    contents.add_uint_contents(value);
    EXPECT_EQ(Refusal(contents, type).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(TypedContentsTest, HalfPrecisionHasNoField) {
  for (const DataType type : {DataType::kFp16, DataType::kBf16}) {
    const absl::Status status = Refusal(InferTensorContents(), type);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("raw_input_contents"));
  }
}

TEST(TypedContentsTest, ElementsInAnotherFieldReturnInvalidArgument) {
  InferTensorContents contents;
  contents.add_fp32_contents(1);
  contents.add_int64_contents(1);
  const absl::Status status = Refusal(contents, DataType::kFp32);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "1 elements found in int64_contents, expected them in "
            "fp32_contents");
}

TEST(TypedContentsTest, BytesContentsReturnInvalidArgument) {
  InferTensorContents contents;
  contents.add_bytes_contents("x");
  EXPECT_EQ(Refusal(contents, DataType::kUint8).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
