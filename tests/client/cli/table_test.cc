#include "client/cli/table.h"

#include <string>

#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(TableTest, ColumnsAreAlignedToTheWidestCell) {
  EXPECT_EQ(FormatTable({"a", "long", "c"}, {{"wide cell", "x", "y"}}),
            "a          long  c\n"
            "wide cell  x     y\n");
}

TEST(TableTest, WithoutRowsOnlyTheHeaderIsThere) {
  EXPECT_EQ(FormatTable({"a", "b"}, {}), "a  b\n");
}

TEST(TableTest, LinesDoNotEndInBlanks) {
  EXPECT_EQ(FormatTable({"a", "bb"}, {{"x", ""}, {"", "y"}}),
            "a  bb\n"
            "x\n"
            "   y\n");
}

TEST(TableTest, WidthsCountCodePointsNotBytes) {
  EXPECT_EQ(FormatTable({"\u00e9", "b"}, {{"x", "y"}}), "\u00e9  b\nx  y\n");
}

TEST(TableTest, CellsCannotBreakTheLines) {
  EXPECT_EQ(FormatTable({"a"}, {{"x\ny"}}), "a\nx\\ny\n");
}

TEST(TableTest, ColoursDoNotCountAsWidth) {
  const auto colour_of = [](const std::string& text) {
    return text == "up"     ? CellColour::kGreen
           : text == "down" ? CellColour::kRed
                            : CellColour::kNone;
  };
  EXPECT_EQ(FormatTable({"a", "b"}, {{"up", "x"}, {"down", "y"}}, colour_of),
            "\x1b[1ma\x1b[0m     \x1b[1mb\x1b[0m\n"
            "\x1b[32mup\x1b[0m    x\n"
            "\x1b[31mdown\x1b[0m  y\n");
}

}  // namespace
}  // namespace relu
