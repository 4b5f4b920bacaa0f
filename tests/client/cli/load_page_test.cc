// What the page shows in a browser is tested by tests/client/report_test.sh.
#include "client/cli/load_page.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(LoadPageTest, HoldsTheReportAndNeedsNoNetwork) {
  const std::string page = LoadPage(R"({"server":"localhost:8001"})");
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, HasSubstr(R"({"server":"localhost:8001"}</script>)"));
  EXPECT_THAT(page, Not(HasSubstr("@REPORT@")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
}

TEST(LoadPageTest, NamesCannotEndTheScript) {
  const std::string page =
      LoadPage(R"_({"server":"</script><script>evil()"})_");
  EXPECT_THAT(page, Not(HasSubstr("</script><script>evil")));
  EXPECT_THAT(page, HasSubstr(R"_(\u003c/script>\u003cscript>evil())_"));
}

}  // namespace
}  // namespace relu
