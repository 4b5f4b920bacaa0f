#include "client/answer_contents.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"

namespace relu {
namespace {

using inference::InferTensorContents;
using std::string_view_literals::operator""sv;

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()),
          values.size() * sizeof(T)};
}

TEST(AnswerContentsTest, SignedIntegersAreNarrowed) {
  InferTensorContents contents;
  contents.add_int_contents(-1);
  contents.add_int_contents(100);
  EXPECT_EQ(BytesOfTypedContents("INT8", contents).value(),
            Bytes<std::int8_t>({-1, 100}));
  EXPECT_EQ(BytesOfTypedContents("INT16", contents).value(),
            Bytes<std::int16_t>({-1, 100}));
  EXPECT_EQ(BytesOfTypedContents("INT32", contents).value(),
            Bytes<std::int32_t>({-1, 100}));
}

TEST(AnswerContentsTest, UnsignedIntegersAreNarrowed) {
  InferTensorContents contents;
  contents.add_uint_contents(200);
  EXPECT_EQ(BytesOfTypedContents("UINT8", contents).value(),
            Bytes<std::uint8_t>({200}));
  EXPECT_EQ(BytesOfTypedContents("UINT16", contents).value(),
            Bytes<std::uint16_t>({200}));
  EXPECT_EQ(BytesOfTypedContents("UINT32", contents).value(),
            Bytes<std::uint32_t>({200}));
}

TEST(AnswerContentsTest, WideTypesKeepTheirBits) {
  InferTensorContents contents;
  contents.add_int64_contents(-5);
  contents.add_uint64_contents(~0ULL);
  contents.add_fp32_contents(0.1F);
  contents.add_fp64_contents(0.1);
  EXPECT_EQ(BytesOfTypedContents("INT64", contents).value(),
            Bytes<std::int64_t>({-5}));
  EXPECT_EQ(BytesOfTypedContents("UINT64", contents).value(),
            Bytes<std::uint64_t>({~0ULL}));
  EXPECT_EQ(BytesOfTypedContents("FP32", contents).value(),
            Bytes<float>({0.1F}));
  EXPECT_EQ(BytesOfTypedContents("FP64", contents).value(),
            Bytes<double>({0.1}));
}

TEST(AnswerContentsTest, BoolIsOneByte) {
  InferTensorContents contents;
  contents.add_bool_contents(true);
  contents.add_bool_contents(false);
  EXPECT_EQ(BytesOfTypedContents("BOOL", contents).value(), "\x01\x00"sv);
}

TEST(AnswerContentsTest, BytesFollowTheirLength) {
  InferTensorContents contents;
  contents.add_bytes_contents("ab");
  contents.add_bytes_contents("");
  EXPECT_EQ(BytesOfTypedContents("BYTES", contents).value(),
            "\x02\x00\x00\x00"
            "ab\x00\x00\x00\x00"sv);
}

TEST(AnswerContentsTest, ValueOutOfRangeIsAnInternalError) {
  InferTensorContents contents;
  contents.add_int_contents(128);
  const absl::Status status = BytesOfTypedContents("INT8", contents).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "the value 128 is out of range");
}

TEST(AnswerContentsTest, HalfPrecisionHasNoTypedField) {
  InferTensorContents contents;
  EXPECT_EQ(BytesOfTypedContents("FP16", contents).value(), "");
  contents.add_fp32_contents(1.0F);
  EXPECT_EQ(BytesOfTypedContents("FP16", contents).status().code(),
            absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace relu
