#include "client/cli/display_text.h"

#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(DisplayTextTest, ControlCharactersAreEscaped) {
  EXPECT_EQ(EscapeControl("a\nb\x1b[2J\x7f"), "a\\nb\\x1b[2J\\x7f");
}

TEST(DisplayTextTest, OtherTextStaysAsItIs) {
  EXPECT_EQ(EscapeControl("caf\u00e9 \"x\" \\n"), "caf\u00e9 \"x\" \\n");
}

TEST(DisplayTextTest, WidthCountsCodePoints) {
  EXPECT_EQ(DisplayWidth(""), 0U);
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("caf\u00e9\u2713"), 5U);
}

TEST(DisplayTextTest, JsonStringIsQuotedAndEscaped) {
  EXPECT_EQ(JsonString("a\"b\n"), R"("a\"b\n")");
}

TEST(DisplayTextTest, JsonStringReplacesWhatIsNotUtf8) {
  EXPECT_EQ(JsonString("a\xFF"), "\"a\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace relu
