#include "core/base/utf8.h"

#include <string_view>

#include "gtest/gtest.h"

namespace relu {
namespace {

using std::string_view_literals::operator""sv;

TEST(Utf8Test, WellFormedTextIsValid) {
  // The first and last character of each length, and around the surrogates.
  for (const std::string_view text :
       {""sv, "abc"sv, "\0"sv, "\x7F"sv, "\xC2\x80"sv, "\xDF\xBF"sv,
        "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv, "\xEF\xBF\xBF"sv,
        "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv, "a\xC3\xA9z"sv}) {
    EXPECT_TRUE(IsValidUtf8(text)) << ToValidUtf8(text);
  }
}

TEST(Utf8Test, MalformedTextIsNotValid) {
  for (const std::string_view text :
       {"\x80"sv, "\xBF"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xC2"sv, "\xC2\x7F"sv,
        "\xC2\xC0"sv, "\xE0\x9F\xBF"sv, "\xE1\x80"sv, "\xE1\x80\x7F"sv,
        "\xED\xA0\x80"sv, "\xED\xBF\xBF"sv, "\xF0\x8F\xBF\xBF"sv,
        "\xF0\x90\x80"sv, "\xF1\x80\x80\xC0"sv, "\xF4\x90\x80\x80"sv,
        "\xF5\x80\x80\x80"sv, "\xFF"sv, "ok\xFE"sv}) {
    EXPECT_FALSE(IsValidUtf8(text)) << ToValidUtf8(text);
  }
}

TEST(Utf8Test, ToValidUtf8KeepsValidText) {
  EXPECT_EQ(ToValidUtf8("caf\xC3\xA9"), "caf\xC3\xA9");
}

TEST(Utf8Test, ToValidUtf8WritesHighBytesOfOtherTextInHex) {
  EXPECT_EQ(ToValidUtf8("a\xFF\xC3\xA9\n"), "a\\xFF\\xC3\\xA9\n");
}

TEST(Utf8Test, ClipUtf8KeepsTextThatFits) {
  EXPECT_EQ(ClipUtf8("abc", 3), "abc");
  EXPECT_EQ(ClipUtf8("", 0), "");
}

TEST(Utf8Test, ClipUtf8CutsBetweenCharacters) {
  EXPECT_EQ(ClipUtf8("abcd", 3), "abc...");
  EXPECT_EQ(ClipUtf8("ab\xC3\xA9z", 3), "ab...");
  EXPECT_EQ(ClipUtf8("ab\xC3\xA9z", 4), "ab\xC3\xA9...");
  EXPECT_EQ(ClipUtf8("\x80\x80\x80", 2), "...");
}

}  // namespace
}  // namespace relu
