#include "client/cli/table.h"

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

}  // namespace
}  // namespace relu
