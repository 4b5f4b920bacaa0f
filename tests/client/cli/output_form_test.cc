#include "client/cli/output_form.h"

#include <string>

#include "gtest/gtest.h"

namespace relu {
namespace {

const Listing kListing{.names = {"name", "count"},
                       .rows = {{"a,\"b\"", "1"}, {"READY", ""}}};

TEST(OutputFormTest, FormsHaveTheirNames) {
  EXPECT_EQ(ParseOutputForm("json"), OutputForm::kJson);
  EXPECT_EQ(ParseOutputForm("csv"), OutputForm::kCsv);
  EXPECT_EQ(ParseOutputForm("table"), OutputForm::kTable);
}

TEST(OutputFormTest, ListingIsATable) {
  EXPECT_EQ(FormatListing(kListing, {}),
            "name   count\n"
            "a,\"b\"  1\n"
            "READY\n");
}

TEST(OutputFormTest, ListingIsJsonWithNumbersWhereTheyAre) {
  EXPECT_EQ(FormatListing(kListing, {.form = OutputForm::kJson}, {"count"}),
            R"([{"name":"a,\"b\"","count":1},{"name":"READY","count":null}])"
            "\n");
  EXPECT_EQ(FormatListing({.names = {"n"}, .rows = {{"1"}}},
                          {.form = OutputForm::kJson}),
            R"([{"n":"1"}])"
            "\n");
}

TEST(OutputFormTest, ListingIsCsvWithQuotesWhereTheyAreNeeded) {
  EXPECT_EQ(FormatListing(kListing, {.form = OutputForm::kCsv}),
            "name,count\n"
            "\"a,\"\"b\"\"\",1\n"
            "READY,\n");
  EXPECT_EQ(CsvLine({"", "a\nb"}), ",\"a\nb\"\n");
}

TEST(OutputFormTest, StatesHaveColours) {
  EXPECT_EQ(FormatWord("READY", {.colours = true}), "\x1b[32mREADY\x1b[0m\n");
  EXPECT_EQ(FormatWord("UNAVAILABLE", {.colours = true}),
            "\x1b[31mUNAVAILABLE\x1b[0m\n");
  EXPECT_EQ(FormatWord("READY", {}), "READY\n");
}

}  // namespace
}  // namespace relu
