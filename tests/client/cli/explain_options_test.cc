#include "client/cli/explain_options.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/explain_command.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

using ::testing::ElementsAre;

ExplainCommandOptions Parsed(const std::string& line) {
  CLI::App app;
  ExplainCommandOptions options;
  AddExplain(app, options);
  app.parse(line);
  return options;
}

TEST(ExplainOptionsTest, DefaultsHoldForWhatIsNotGiven) {
  const ExplainCommandOptions options = Parsed("explain m");
  EXPECT_EQ(options.model, "m");
  EXPECT_EQ(options.input, "-");
  EXPECT_EQ(options.method, "gradient");
  EXPECT_EQ(options.top_k, 5U);
  EXPECT_EQ(options.batch_rows, 64);
}

TEST(ExplainOptionsTest, EveryOptionIsTaken) {
  const ExplainCommandOptions options = Parsed(
      "explain m --version 2 -i rows.csv -f csv --label last --limit 9 "
      "--batch 8 -b base.csv -m exact --output-name y --elements 3,1 -k 0");
  EXPECT_EQ(options.version, "2");
  EXPECT_EQ(options.input, "rows.csv");
  EXPECT_EQ(options.format, "csv");
  EXPECT_EQ(options.label, "last");
  EXPECT_EQ(options.max_rows, 9);
  EXPECT_EQ(options.batch_rows, 8);
  EXPECT_EQ(options.baseline, "base.csv");
  EXPECT_EQ(options.method, "exact");
  EXPECT_EQ(options.output, "y");
  EXPECT_THAT(options.elements, ElementsAre(3, 1));
  EXPECT_EQ(options.top_k, 0U);
  EXPECT_THAT(Parsed("explain m --input-name a=a.npy").named_inputs,
              ElementsAre("a=a.npy"));
}

TEST(ExplainOptionsTest, WrongValuesAreRefused) {
  EXPECT_THROW(Parsed("explain"), CLI::ParseError);
  EXPECT_THROW(Parsed("explain m -m best"), CLI::ParseError);
  EXPECT_THROW(Parsed("explain m -k x"), CLI::ParseError);
}

}  // namespace
}  // namespace relu
