#include "server/text.h"

#include <string>

#include "gtest/gtest.h"

#include "core/base/utf8.h"

namespace relu {
namespace {

TEST(PrintableTest, GoodTextStaysAsItIs) {
  EXPECT_EQ(Printable("dense_1 \"x\" é 日本"), "dense_1 \"x\" é 日本");
}

TEST(PrintableTest, LineEndsAndControlCharactersAreEscaped) {
  EXPECT_EQ(Printable(std::string("a\nb\t\x1b[0m\0c\x7f", 11)),
            "a\\nb\\x09\\x1B[0m\\x00c\\x7F");
}

TEST(PrintableTest, BytesThatAreNoUtf8AreEscaped) {
  EXPECT_EQ(Printable("a\xff\xc3"), "a\\xFF\\xC3");
}

TEST(PrintableTest, LongTextIsCut) {
  EXPECT_EQ(Printable("abcdefgh", 5), "abcde...");
  EXPECT_EQ(Printable("abcde", 5), "abcde");
}

TEST(PrintableTest, CutFallsBetweenCharacters) {
  EXPECT_EQ(Printable("aé", 2), "a...");
}

TEST(PrintableTest, HugeTextOfEscapesStaysShort) {
  const std::string text = Printable(std::string(1 << 20, '\n'));
  EXPECT_LE(text.size(), kMaxNameBytes + 6);
  EXPECT_TRUE(IsValidUtf8(text));
}

}  // namespace
}  // namespace relu
