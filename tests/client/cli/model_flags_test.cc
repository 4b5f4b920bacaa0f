#include "client/cli/model_flags.h"

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/row_source.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A command with all of these options.
struct AllFlags {
  AllFlags() {
    AddServedModel(app, model, version);
    AddRows(app, rows, {.label = "Of what is known", .limit = "Only N"});
    AddBatchRows(app, batch_rows);
    AddOutputName(app, output, "The output to take");
  }

  CLI::App app;
  std::string model;
  std::string version;
  RowOptions rows;
  std::int64_t batch_rows = 64;
  std::string output;
};

TEST(ModelFlagsTest, DefaultsHoldForWhatIsNotGiven) {
  AllFlags flags;
  flags.app.parse("m");
  EXPECT_EQ(flags.model, "m");
  EXPECT_EQ(flags.version, "");
  EXPECT_EQ(flags.rows.input, "-");
  EXPECT_FALSE(flags.rows.max_rows.has_value());
  EXPECT_EQ(flags.batch_rows, 64);
  EXPECT_EQ(flags.output, "");
}

TEST(ModelFlagsTest, EveryOptionIsTaken) {
  AllFlags flags;
  flags.app.parse(
      "m --version 2 -i rows.txt -f csv --label last --limit 9 --batch 8 "
      "--output-name y");
  EXPECT_EQ(flags.version, "2");
  EXPECT_EQ(flags.rows.input, "rows.txt");
  EXPECT_EQ(flags.rows.format, "csv");
  EXPECT_EQ(flags.rows.label, "last");
  EXPECT_EQ(flags.rows.max_rows, 9);
  EXPECT_EQ(flags.batch_rows, 8);
  EXPECT_EQ(flags.output, "y");
}

TEST(ModelFlagsTest, InputsMayComeByName) {
  AllFlags flags;
  flags.app.parse("--input-name a=a.npy --input-name b=b.npy m");
  EXPECT_EQ(flags.model, "m");
  EXPECT_THAT(flags.rows.named_inputs, ElementsAre("a=a.npy", "b=b.npy"));
}

TEST(ModelFlagsTest, WrongValuesAreRefused) {
  for (const char* const line :
       {"", "m --limit 0", "m --batch 0", "m --format xml",
        "m --input a.csv --input-name a=a.npy"}) {
    AllFlags flags;
    EXPECT_THROW(flags.app.parse(line), CLI::ParseError) << line;
  }
}

TEST(ModelFlagsTest, HelpSaysWhatDiffers) {
  const AllFlags flags;
  const std::string help = flags.app.help();
  EXPECT_THAT(help, HasSubstr("Of what is known"));
  EXPECT_THAT(help, HasSubstr("Only N"));
  EXPECT_THAT(help, HasSubstr("The output to take (default: the first of"));
  EXPECT_THAT(help, HasSubstr("- is standard input"));
}

}  // namespace
}  // namespace relu
