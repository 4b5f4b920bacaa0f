#include "server/http/compression.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using absl::StatusCode;

TEST(CompressionTest, WhatWasPackedIsUnpackedInBothCodings) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) {
    text += std::to_string(i);
  }
  for (const ContentCoding coding :
       {ContentCoding::kGzip, ContentCoding::kDeflate}) {
    const std::string packed = Compress(text, coding);
    EXPECT_LT(packed.size(), text.size() / 2);
    ASSERT_EQ(UnpackedBytes(packed, text.size()).value_or(0), text.size());
    EXPECT_EQ(Decompress(packed, text.size()), text);
  }
}

TEST(CompressionTest, EmptyTextIsPackedToo) {
  const std::string packed = Compress("", ContentCoding::kGzip);
  EXPECT_EQ(UnpackedBytes(packed, 0).value_or(1), 0U);
  EXPECT_EQ(Decompress(packed, 0), "");
}

TEST(CompressionTest, MeasuringStopsAtTheLimit) {
  const std::string bomb =
      Compress(std::string(10'000'000, '0'), ContentCoding::kGzip);
  EXPECT_EQ(UnpackedBytes(bomb, 9'999'999).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(UnpackedBytes(bomb, 0).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(UnpackedBytes(bomb, 10'000'000).value_or(0), 10'000'000U);
}

TEST(CompressionTest, WhatIsNotWholeIsRefused) {
  const std::string packed = Compress("some text", ContentCoding::kDeflate);
  for (const std::string& bad :
       {std::string("no zlib at all"), packed.substr(0, packed.size() - 1),
        packed + "more", std::string()}) {
    EXPECT_EQ(UnpackedBytes(bad, 1000).status().code(),
              StatusCode::kInvalidArgument)
        << bad;
  }
}

TEST(CompressionTest, ContentEncodingFieldsAreParsed) {
  EXPECT_EQ(ParseContentCoding(""), ContentCoding::kIdentity);
  EXPECT_EQ(ParseContentCoding("identity"), ContentCoding::kIdentity);
  EXPECT_EQ(ParseContentCoding(" GZip "), ContentCoding::kGzip);
  EXPECT_EQ(ParseContentCoding("x-gzip"), ContentCoding::kGzip);
  EXPECT_EQ(ParseContentCoding("deflate"), ContentCoding::kDeflate);
  EXPECT_EQ(ParseContentCoding("br"), ContentCoding::kUnknown);
  EXPECT_EQ(ParseContentCoding("gzip, deflate"), ContentCoding::kUnknown);
}

TEST(CompressionTest, TheBestCodingThatTheClientTakesIsChosen) {
  EXPECT_EQ(ChooseContentCoding(""), ContentCoding::kIdentity);
  EXPECT_EQ(ChooseContentCoding("br, zstd"), ContentCoding::kIdentity);
  EXPECT_EQ(ChooseContentCoding("deflate, gzip"), ContentCoding::kGzip);
  EXPECT_EQ(ChooseContentCoding("gzip;q=0.5, deflate"), ContentCoding::kGzip);
  EXPECT_EQ(ChooseContentCoding("gzip;q=0, deflate;q=0.1"),
            ContentCoding::kDeflate);
  EXPECT_EQ(ChooseContentCoding("gzip;q=0.000"), ContentCoding::kIdentity);
  EXPECT_EQ(ChooseContentCoding(",,;q=1"), ContentCoding::kIdentity);
}

TEST(CompressionTest, NamesAreThoseOfTheField) {
  EXPECT_EQ(ContentCodingName(ContentCoding::kGzip), "gzip");
  EXPECT_EQ(ContentCodingName(ContentCoding::kDeflate), "deflate");
}

}  // namespace
}  // namespace relu
