#include "client/cli/page.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/inspect_report_html.h"

namespace relu {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(PageTest, HoldsTheReportWhereItsPlaceIs) {
  EXPECT_EQ(PageWith("<b>@REPORT@</b>", R"({"a":1})"), R"(<b>{"a":1}</b>)");
}

TEST(PageTest, NamesCannotEndTheScript) {
  EXPECT_EQ(PageWith("@REPORT@", R"_({"a":"</script>"})_"),
            R"_({"a":"\u003c/script>"})_");
}

// What it shows in a browser is tested by tests/client/inspect_page_test.mjs.
TEST(PageTest, InspectionNeedsNoNetwork) {
  const std::string page = PageWith(kInspectReportHtml, "{}");
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, Not(HasSubstr("@REPORT@")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
}

}  // namespace
}  // namespace relu
