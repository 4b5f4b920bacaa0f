#include "client/cli/rank_options.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/rank_command.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

RankCommandOptions ParsedRank(const std::string& line) {
  CLI::App app;
  RankCommandOptions options;
  AddRank(app, options);
  app.parse(line);
  return options;
}

TEST(RankOptionsTest, DefaultsHoldForWhatIsNotGiven) {
  const RankCommandOptions options = ParsedRank("rank m --shared user.csv");
  EXPECT_EQ(options.model, "m");
  EXPECT_EQ(options.shared, "user.csv");
  EXPECT_EQ(options.input, "-");
  EXPECT_FALSE(options.element.has_value());
  EXPECT_EQ(options.top_k, 10U);
}

TEST(RankOptionsTest, EveryOptionIsTaken) {
  const RankCommandOptions options = ParsedRank(
      "rank m --version 2 --shared user.csv --shared-features 7,x=8 "
      "--shared-inputs "
      "a,b "
      "-i rows.csv -f csv --label last --limit 9 "
      "--output-name y --element 0 -k 3");
  EXPECT_EQ(options.version, "2");
  EXPECT_THAT(options.shared_features, ElementsAre("7", "x=8"));
  EXPECT_THAT(options.shared_inputs, ElementsAre("a", "b"));
  EXPECT_EQ(options.input, "rows.csv");
  EXPECT_EQ(options.format, "csv");
  EXPECT_EQ(options.label, "last");
  EXPECT_EQ(options.max_rows, 9);
  EXPECT_EQ(options.output, "y");
  EXPECT_EQ(options.element, 0U);
  EXPECT_EQ(options.top_k, 3U);
  EXPECT_THAT(
      ParsedRank("rank m --shared user.csv --input-name x=x.npy").named_inputs,
      ElementsAre("x=x.npy"));
}

TEST(RankOptionsTest, HelpSaysWhichFeaturesAreShared) {
  CLI::App app;
  RankCommandOptions options;
  AddRank(app, options);
  EXPECT_THAT(app.get_subcommand("rank")->help(),
              HasSubstr("no parameter rank_shared.INPUT takes the first"));
}

TEST(RankOptionsTest, WrongValuesAreRefused) {
  EXPECT_THROW(ParsedRank("rank m"), CLI::ParseError);
  // -s is the server's, of all commands.
  EXPECT_THROW(ParsedRank("rank m --shared user.csv -s a:1"), CLI::ParseError);
  EXPECT_THROW(ParsedRank("rank --shared user.csv"), CLI::ParseError);
  EXPECT_THROW(ParsedRank("rank m --shared user.csv -k x"), CLI::ParseError);
  EXPECT_THROW(
      ParsedRank("rank m --shared user.csv -i a.csv --input-name x=x.npy"),
      CLI::ParseError);
  EXPECT_THROW(ParsedRank("rank m --shared user.csv --element -1"),
               CLI::ParseError);
}

}  // namespace
}  // namespace relu
