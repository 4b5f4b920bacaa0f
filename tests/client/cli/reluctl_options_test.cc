#include "client/cli/reluctl_options.h"

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/console.h"
#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ReluctlOptionsTest : public testing::Test {
 protected:
  void SetUp() override {
    Clear();
    // Whoever runs the tests may have a config file.
    ::setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
  }
  void TearDown() override { Clear(); }

 private:
  static void Clear() {
    for (const char* name :
         {"RELUCTL_SERVER", "RELUCTL_TIMEOUT", "RELUCTL_OUTPUT",
          "RELUCTL_TOKEN", "RELUCTL_CONFIG", "NO_COLOR"}) {
      ::unsetenv(name);
    }
  }
};

// A terminal or not.
Console ConsoleWith(bool terminal) {
  return {.in = std::cin,
          .out = std::cout,
          .err = std::cerr,
          .out_is_terminal = terminal};
}

ReluctlOptions Parsed(const std::vector<const char*>& arguments,
                      bool terminal = false) {
  const auto result = ParseArguments(arguments, ConsoleWith(terminal));
  const auto* const options = std::get_if<ReluctlOptions>(&result);
  EXPECT_NE(options, nullptr);
  return options != nullptr ? *options : ReluctlOptions();
}

Outcome Ended(const std::vector<const char*>& arguments) {
  const auto result = ParseArguments(arguments, ConsoleWith(false));
  const auto* const outcome = std::get_if<Outcome>(&result);
  EXPECT_NE(outcome, nullptr);
  return outcome != nullptr ? *outcome : Outcome();
}

TEST_F(ReluctlOptionsTest, DefaultsHoldForWhatIsNotGiven) {
  const ReluctlOptions options = Parsed({"infer", "m"});
  EXPECT_EQ(options.command, Command::kInfer);
  EXPECT_EQ(options.connection.server, "localhost:8001");
  EXPECT_EQ(options.connection.timeout, std::chrono::seconds(10));
  EXPECT_EQ(options.infer.model, "m");
  EXPECT_EQ(options.infer.input, "-");
  EXPECT_EQ(options.infer.batch_rows, 64);
  EXPECT_FALSE(options.infer.max_rows.has_value());
  EXPECT_EQ(options.infer.form, OutputForm::kTable);
}

TEST_F(ReluctlOptionsTest, EveryOptionOfInspectIsTaken) {
  const ReluctlOptions options =
      Parsed({"inspect", "m.onnx", "--rows", "x.csv", "--label", "y", "--box",
              "-1,2.5", "--report", "r.html", "--compact", "s.onnx",
              "--drop-zero-inputs", "-o", "json"});
  EXPECT_EQ(options.command, Command::kInspect);
  EXPECT_EQ(options.inspect.file, "m.onnx");
  EXPECT_EQ(options.inspect.rows, "x.csv");
  EXPECT_EQ(options.inspect.label, "y");
  EXPECT_THAT(options.inspect.box, ElementsAre(-1, 2.5));
  EXPECT_EQ(options.inspect.report, "r.html");
  EXPECT_EQ(options.inspect.compact, "s.onnx");
  EXPECT_TRUE(options.inspect.drops_zero_inputs);
  EXPECT_TRUE(options.inspect.json);
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
  EXPECT_EQ(options.infer.form, OutputForm::kJson);
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
  EXPECT_EQ(options.style.form, OutputForm::kJson);
}

TEST_F(ReluctlOptionsTest, CommandsOfTheRepositoryAreKnown) {
  EXPECT_EQ(Parsed({"repository", "index"}).command, Command::kModels);
  const ReluctlOptions load =
      Parsed({"repository", "load", "m", "--model-config", "c.json", "--file",
              "1/a=b", "--file", "1/c=d"});
  EXPECT_EQ(load.command, Command::kRepositoryLoad);
  EXPECT_EQ(load.repository_load.model, "m");
  EXPECT_EQ(load.repository_load.config_file, "c.json");
  EXPECT_THAT(load.repository_load.files, ElementsAre("1/a=b", "1/c=d"));
  const ReluctlOptions unload = Parsed({"repository", "unload", "m"});
  EXPECT_EQ(unload.command, Command::kRepositoryUnload);
  EXPECT_EQ(unload.model, "m");
}

TEST_F(ReluctlOptionsTest, StatsConfigAndCompletionAreKnown) {
  const ReluctlOptions stats = Parsed(
      {"stats", "m", "--interval", "0.5", "-n", "3", "--metrics", "h:1"});
  EXPECT_EQ(stats.command, Command::kStats);
  EXPECT_EQ(stats.stats.model, "m");
  EXPECT_EQ(stats.stats.interval_seconds, 0.5);
  EXPECT_EQ(stats.stats.count, 3);
  EXPECT_EQ(stats.stats.metrics, "h:1");
  EXPECT_EQ(Parsed({"config", "m"}).command, Command::kConfig);
  EXPECT_EQ(Parsed({"completion", "zsh"}).shell, "zsh");
}

TEST_F(ReluctlOptionsTest, ColoursAreForTerminalsUnlessTheUserSaysElse) {
  EXPECT_FALSE(Parsed({"models"}).style.colours);
  EXPECT_TRUE(Parsed({"models"}, /*terminal=*/true).style.colours);
  EXPECT_TRUE(Parsed({"models", "--colour", "always"}).style.colours);
  EXPECT_FALSE(
      Parsed({"models", "--color", "never"}, /*terminal=*/true).style.colours);
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(Parsed({"models"}, /*terminal=*/true).style.colours);
}

TEST_F(ReluctlOptionsTest, FilesOfTheConnectionAreTaken) {
  ::setenv("RELUCTL_TOKEN", "secret", 1);
  const ReluctlOptions options =
      Parsed({"models", "--tls", "--ca-file", "a", "--cert-file", "b",
              "--key-file", "c", "--server-name", "d", "--token-file", "e"});
  EXPECT_TRUE(options.connection.tls);
  EXPECT_EQ(options.connection.ca_file, "a");
  EXPECT_EQ(options.connection.cert_file, "b");
  EXPECT_EQ(options.connection.key_file, "c");
  EXPECT_EQ(options.connection.server_name, "d");
  EXPECT_EQ(options.connection.token_file, "e");
  EXPECT_EQ(options.connection.token, "secret");
}

TEST_F(ReluctlOptionsTest, ConfigFileGivesOptionsOfAllAndOfACommand) {
  const TemporaryFolder folder;
  const std::string file = folder.Write("reluctl.toml",
                                        "server = \"file:1\"\n"
                                        "timeout = 3\n"
                                        "[load]\n"
                                        "concurrency = [1, 2]\n");
  const ReluctlOptions options =
      Parsed({"--config", file.c_str(), "load", "m", "--timeout", "4"});
  EXPECT_EQ(options.connection.server, "file:1");
  EXPECT_EQ(options.connection.timeout, std::chrono::seconds(4));
  EXPECT_THAT(options.load.concurrency, ElementsAre(1, 2));
  ::setenv("RELUCTL_CONFIG", file.c_str(), 1);
  EXPECT_EQ(Parsed({"models"}).connection.server, "file:1");
  ::setenv("RELUCTL_SERVER", "environment:1", 1);
  EXPECT_EQ(Parsed({"models"}).connection.server, "environment:1");
}

TEST_F(ReluctlOptionsTest, ConfigFileOfTheUserIsFound) {
  const TemporaryFolder folder;
  const std::string file = folder.Write("reluctl.toml", "output = \"json\"\n");
  ::setenv("XDG_CONFIG_HOME", std::filesystem::path(file).parent_path().c_str(),
           1);
  EXPECT_EQ(Parsed({"models"}).style.form, OutputForm::kJson);
  folder.Write("reluctl.toml", "nonsense = 1\n");
  EXPECT_EQ(Ended({"models"}).code, ExitCode::kWrongInput);
}

TEST_F(ReluctlOptionsTest, GlobalOptionsMayStandOnBothSidesOfTheCommand) {
  EXPECT_EQ(Parsed({"--server", "a:1", "models"}).connection.server, "a:1");
  const ReluctlOptions options =
      Parsed({"models", "-s", "a:1", "--timeout", "0.25"});
  EXPECT_EQ(options.connection.server, "a:1");
  EXPECT_EQ(options.connection.timeout, std::chrono::milliseconds(250));
}

TEST_F(ReluctlOptionsTest, ServerWithoutAPortIsAtTheDefaultOne) {
  EXPECT_EQ(Parsed({"models", "-s", "a"}).connection.server, "a:8001");
  ::setenv("RELUCTL_SERVER", "b", 1);
  EXPECT_EQ(Parsed({"models"}).connection.server, "b:8001");
}

TEST_F(ReluctlOptionsTest, ServerOfRankHasItsShortName) {
  const ReluctlOptions options =
      Parsed({"rank", "m", "--shared", "user.csv", "-s", "a:1"});
  EXPECT_EQ(options.connection.server, "a:1");
  EXPECT_EQ(options.rank.shared, "user.csv");
}

TEST_F(ReluctlOptionsTest, FlagWinsOverTheEnvironment) {
  ::setenv("RELUCTL_SERVER", "environment:1", 1);
  EXPECT_EQ(Parsed({"models"}).connection.server, "environment:1");
  EXPECT_EQ(Parsed({"models", "-s", "flag:1"}).connection.server, "flag:1");
}

TEST_F(ReluctlOptionsTest, HelpSaysCommandsAndExitCodes) {
  const Outcome outcome = Ended({"--help"});
  EXPECT_EQ(outcome.code, ExitCode::kOk);
  for (const char* text :
       {"infer", "health", "load", "metadata", "models", "repository", "stats",
        "config", "completion", "--server", "RELUCTL_SERVER", "--timeout",
        "--config", "Examples:", "Exit codes:"}) {
    EXPECT_THAT(outcome.out, HasSubstr(text));
  }
  EXPECT_THAT(Ended({"infer", "--help"}).out, HasSubstr("--label"));
  for (const char* command : {"infer", "load", "stats", "completion"}) {
    EXPECT_THAT(Ended({command, "--help"}).out, HasSubstr("Examples:"));
  }
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
      {"models", "--colour", "blue"},
      {"models", "--config", "/nonexistent/file"},
      {"config"},
      {"config", "m", "--output", "csv"},
      {"inspect", "f", "--output", "csv"},
      {"repository"},
      {"repository", "load"},
      {"repository", "unload"},
      {"stats", "--interval", "0"},
      {"stats", "--count", "0"},
      {"completion", "fish"},
      {"load"},
      {"load", "m", "--concurrency", "0"},
      {"load", "m", "--rate", "0"},
      {"load", "m", "--arrivals", "never"},
      {"load", "m", "--find-peak", "0"},
      {"models", "--server"}};
  for (const auto& arguments : cases) {
    const Outcome outcome = Ended(arguments);
    EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
    EXPECT_THAT(outcome.err, StartsWith("reluctl: "));
    EXPECT_THAT(outcome.err, HasSubstr("--help"));
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(ReluctlOptionsTest, WrongUsagePointsToTheHelpOfTheCommand) {
  EXPECT_THAT(Ended({}).err, HasSubstr("\nRun \"reluctl --help\" for"));
  EXPECT_THAT(Ended({"bogus"}).err, HasSubstr("\nRun \"reluctl --help\" for"));
  for (const std::vector<const char*>& arguments :
       {std::vector<const char*>{"infer"},
        {"infer", "m", "--nope"},
        {"infer", "m", "--batch", "0"},
        {"infer", "m", "--timeout", "0"}}) {
    EXPECT_THAT(Ended(arguments).err,
                HasSubstr("\nRun \"reluctl infer --help\" for"));
  }
  EXPECT_THAT(Ended({"repository", "load"}).err,
              HasSubstr("\nRun \"reluctl repository load --help\" for"));
}

TEST_F(ReluctlOptionsTest, FileAfterTheModelIsTakenForTheInput) {
  constexpr char kHint[] = "is --input rows.csv meant?";
  EXPECT_THAT(Ended({"infer", "m", "rows.csv"}).err, HasSubstr(kHint));
  EXPECT_THAT(Ended({"explain", "m", "rows.csv"}).err, HasSubstr(kHint));
  EXPECT_THAT(Ended({"health", "m", "rows.csv"}).err, Not(HasSubstr(kHint)));
  EXPECT_THAT(Ended({"infer", "m", "--nope"}).err, Not(HasSubstr("meant?")));
}

}  // namespace
}  // namespace relu
