#include "client/health_call.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using std::string_view_literals::operator""sv;

TEST(HealthCallTest, RequestIsTheServiceAsFieldOne) {
  EXPECT_EQ(EncodeHealthRequest("abc"),
            "\x0A\x03"
            "abc");
}

TEST(HealthCallTest, RequestOfALongNameHasALongLength) {
  const std::string name(300, 'x');
  EXPECT_EQ(EncodeHealthRequest(name), "\x0A\xAC\x02" + name);
}

TEST(HealthCallTest, OnlyStatusOneIsServing) {
  EXPECT_EQ(DecodeHealthResponse("\x08\x00"sv).value(), false);
  EXPECT_EQ(DecodeHealthResponse("\x08\x01"sv).value(), true);
  EXPECT_EQ(DecodeHealthResponse("\x08\x02"sv).value(), false);
}

TEST(HealthCallTest, EmptyResponseIsNotServing) {
  EXPECT_EQ(DecodeHealthResponse("").value(), false);
}

TEST(HealthCallTest, OtherFieldsOfTheResponseAreSkipped) {
  // Field 2 with a text, then field 1.
  EXPECT_EQ(DecodeHealthResponse("\x12\x02zz\x08\x01"sv).value(), true);
}

TEST(HealthCallTest, BrokenResponseIsAnInternalError) {
  for (const std::string_view bytes : {"\x08"sv, "\x08\xFF"sv, "\x12\x05z"sv}) {
    EXPECT_EQ(DecodeHealthResponse(bytes).status().code(),
              absl::StatusCode::kInternal);
  }
}

}  // namespace
}  // namespace relu
