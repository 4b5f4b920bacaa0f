#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/command_line.h"
#include "client/cli/load_options.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

using testing::ElementsAre;

LoadOptions ParsedLoad(std::vector<std::string> arguments) {
  LoadOptions load;
  CLI::App app;
  AddLoadFlags(app, load);
  std::ranges::reverse(arguments);
  app.parse(arguments);
  return load;
}

TEST(LoadFlagsTest, DefaultsMakeRowsUp) {
  const LoadOptions load = ParsedLoad({"m"});
  EXPECT_THAT(load.models, ElementsAre("m"));
  EXPECT_EQ(load.input, "");
  EXPECT_EQ(load.made_up_rows, 64);
  EXPECT_EQ(load.batch_rows, 1);
  EXPECT_FALSE(load.check);
}

TEST(LoadFlagsTest, EveryOptionIsTaken) {
  const LoadOptions load = ParsedLoad({"a=2",         "b",
                                       "--version",   "3",
                                       "--rows",      "7",
                                       "--seed",      "9",
                                       "--batch",     "4",
                                       "--outputs",   "y,z",
                                       "--typed",     "--streams",
                                       "2",           "--rate",
                                       "10,20",       "--arrivals",
                                       "poisson",     "--max-in-flight",
                                       "5",           "--connections",
                                       "3",           "--threads",
                                       "2",           "--warmup",
                                       "0.5",         "--duration",
                                       "6",           "--count",
                                       "100",         "--stable",
                                       "5",           "--window",
                                       "0.2",         "--check",
                                       "--tolerance", "0.001",
                                       "--report",    "r.html",
                                       "--quiet"});
  EXPECT_THAT(load.models, ElementsAre("a=2", "b"));
  EXPECT_EQ(load.version, "3");
  EXPECT_EQ(load.made_up_rows, 7);
  EXPECT_EQ(load.seed, 9U);
  EXPECT_EQ(load.batch_rows, 4);
  EXPECT_THAT(load.outputs, ElementsAre("y", "z"));
  EXPECT_TRUE(load.typed);
  EXPECT_EQ(load.streams, 2);
  EXPECT_THAT(load.rates, ElementsAre(10, 20));
  EXPECT_EQ(load.arrivals, "poisson");
  EXPECT_EQ(load.max_in_flight, 5U);
  EXPECT_EQ(load.connections, 3);
  EXPECT_EQ(load.threads, 2);
  EXPECT_EQ(load.warm_up_seconds, 0.5);
  EXPECT_EQ(load.duration_seconds, 6);
  EXPECT_EQ(load.calls, 100U);
  EXPECT_EQ(load.stable_percent, 5);
  EXPECT_EQ(load.window_seconds, 0.2);
  EXPECT_TRUE(load.check);
  EXPECT_EQ(load.tolerance, 0.001);
  EXPECT_EQ(load.report_file, "r.html");
  EXPECT_TRUE(load.quiet);
}

TEST(LoadFlagsTest, SearchAndReplayAreTaken) {
  const LoadOptions search = ParsedLoad(
      {"m", "--find-peak", "5", "--percentile", "99.9", "--allow-failed", "1"});
  EXPECT_EQ(search.peak_target_ms, 5);
  EXPECT_EQ(search.peak_percentile, 99.9);
  EXPECT_EQ(search.peak_failed_percent, 1);
  const LoadOptions replay =
      ParsedLoad({"m", "--replay", "times", "--expect", "y=y.npy", "--input",
                  "x.csv", "--format", "csv", "--label", "last"});
  EXPECT_EQ(replay.replay, "times");
  EXPECT_THAT(replay.expect, ElementsAre("y=y.npy"));
  EXPECT_EQ(replay.input, "x.csv");
  EXPECT_EQ(replay.format, "csv");
  EXPECT_EQ(replay.label, "last");
}

}  // namespace
}  // namespace relu
