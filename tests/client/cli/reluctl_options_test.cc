#include "client/cli/reluctl_options.h"

#include <stdlib.h>

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ReluctlOptionsTest : public testing::Test {
 protected:
  void SetUp() override { ::unsetenv("RELUCTL_SERVER"); }
  void TearDown() override { ::unsetenv("RELUCTL_SERVER"); }
};

ReluctlOptions Parsed(const std::vector<const char*>& arguments) {
  const auto result = ParseArguments(arguments);
  const auto* const options = std::get_if<ReluctlOptions>(&result);
  EXPECT_NE(options, nullptr);
  return options != nullptr ? *options : ReluctlOptions();
}

Outcome Ended(const std::vector<const char*>& arguments) {
  const auto result = ParseArguments(arguments);
  const auto* const outcome = std::get_if<Outcome>(&result);
  EXPECT_NE(outcome, nullptr);
  return outcome != nullptr ? *outcome : Outcome();
}

TEST_F(ReluctlOptionsTest, DefaultsHoldForWhatIsNotGiven) {
  const ReluctlOptions options = Parsed({"infer", "m"});
  EXPECT_EQ(options.command, Command::kInfer);
  EXPECT_EQ(options.server, "localhost:8001");
  EXPECT_EQ(options.timeout, std::chrono::seconds(10));
  EXPECT_EQ(options.infer.model, "m");
  EXPECT_EQ(options.infer.input, "-");
  EXPECT_EQ(options.infer.batch_rows, 64);
  EXPECT_FALSE(options.infer.max_rows.has_value());
  EXPECT_FALSE(options.infer.json);
}

TEST_F(ReluctlOptionsTest, EveryOptionOfInferIsTaken) {
  const ReluctlOptions options =
      Parsed({"infer",   "m",        "--version", "3",         "--input",
              "x.csv",   "--format", "csv",       "--label",   "last",
              "--limit", "10",       "--show",    "0",         "--batch",
              "5",       "--output", "json",      "--outputs", "y,z"});
  EXPECT_EQ(options.infer.version, "3");
  EXPECT_EQ(options.infer.input, "x.csv");
  EXPECT_EQ(options.infer.format, "csv");
  EXPECT_EQ(options.infer.label, "last");
  EXPECT_EQ(options.infer.max_rows, 10);
  EXPECT_EQ(options.infer.show_rows, 0);
  EXPECT_EQ(options.infer.batch_rows, 5);
  EXPECT_TRUE(options.infer.json);
  EXPECT_THAT(options.infer.outputs, ElementsAre("y", "z"));
}

TEST_F(ReluctlOptionsTest, ListsDoNotSwallowTheModel) {
  const ReluctlOptions options =
      Parsed({"infer", "--outputs", "y", "--input-name", "a=a.npy",
              "--input-name", "b=b.npy", "m"});
  EXPECT_EQ(options.infer.model, "m");
  EXPECT_THAT(options.infer.outputs, ElementsAre("y"));
  EXPECT_THAT(options.infer.named_inputs, ElementsAre("a=a.npy", "b=b.npy"));
}

TEST_F(ReluctlOptionsTest, OtherCommandsAreKnown) {
  EXPECT_EQ(Parsed({"models"}).command, Command::kModels);
  EXPECT_EQ(Parsed({"health"}).command, Command::kHealth);
  EXPECT_EQ(Parsed({"health", "m"}).model, "m");
  const ReluctlOptions options =
      Parsed({"metadata", "m", "--version", "2", "-o", "json"});
  EXPECT_EQ(options.command, Command::kMetadata);
  EXPECT_EQ(options.model, "m");
  EXPECT_EQ(options.version, "2");
  EXPECT_TRUE(options.json);
}

TEST_F(ReluctlOptionsTest, GlobalOptionsMayStandOnBothSidesOfTheCommand) {
  EXPECT_EQ(Parsed({"--server", "a:1", "models"}).server, "a:1");
  const ReluctlOptions options =
      Parsed({"models", "-s", "a:1", "--timeout", "0.25"});
  EXPECT_EQ(options.server, "a:1");
  EXPECT_EQ(options.timeout, std::chrono::milliseconds(250));
}

TEST_F(ReluctlOptionsTest, FlagWinsOverTheEnvironment) {
  ::setenv("RELUCTL_SERVER", "environment:1", 1);
  EXPECT_EQ(Parsed({"models"}).server, "environment:1");
  EXPECT_EQ(Parsed({"models", "-s", "flag:1"}).server, "flag:1");
}

TEST_F(ReluctlOptionsTest, HelpSaysCommandsAndExitCodes) {
  const Outcome outcome = Ended({"--help"});
  EXPECT_EQ(outcome.code, ExitCode::kOk);
  for (const char* text : {"infer", "health", "metadata", "models", "--server",
                           "RELUCTL_SERVER", "--timeout", "Exit codes:"}) {
    EXPECT_THAT(outcome.out, HasSubstr(text));
  }
  EXPECT_THAT(Ended({"infer", "--help"}).out, HasSubstr("--label"));
}

TEST_F(ReluctlOptionsTest, VersionIsPrinted) {
  const Outcome outcome = Ended({"--version"});
  EXPECT_EQ(outcome.code, ExitCode::kOk);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("reluctl [0-9.]+\n"));
}

TEST_F(ReluctlOptionsTest, WrongUsageIsCodeTwoAndPointsToTheHelp) {
  const std::vector<std::vector<const char*>> cases = {
      {},
      {"bogus"},
      {"infer"},
      {"models", "extra"},
      {"infer", "m", "--nope"},
      {"infer", "m", "--batch", "0"},
      {"infer", "m", "--limit", "0"},
      {"infer", "m", "--limit", "ten"},
      {"infer", "m", "--show", "-1"},
      {"infer", "m", "--format", "xml"},
      {"infer", "m", "--output", "xml"},
      {"infer", "m", "--input", "x.csv", "--input-name", "a=a.npy"},
      {"models", "--timeout", "0"},
      {"models", "--timeout", "nan"},
      {"models", "--server"}};
  for (const auto& arguments : cases) {
    const Outcome outcome = Ended(arguments);
    EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
    EXPECT_THAT(outcome.err, StartsWith("reluctl: "));
    EXPECT_THAT(outcome.err, HasSubstr("--help"));
    EXPECT_EQ(outcome.out, "");
  }
}

}  // namespace
}  // namespace relu
