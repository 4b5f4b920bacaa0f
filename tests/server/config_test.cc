#include "server/config.h"

#include <stdlib.h>

#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "server/log.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

CommandLine Parse(std::vector<const char*> flags) {
  flags.insert(flags.begin(), "relud");
  return ParseCommandLine(static_cast<int>(flags.size()), flags.data());
}

CommandLine ParseWithRepository(std::vector<const char*> flags) {
  flags.push_back("--model-repository=/models");
  return Parse(std::move(flags));
}

// Sets a variable for the time of a test.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    setenv(name, value, 1);  // NOLINT(concurrency-mt-unsafe): one thread.
  }
  ~Environment() {
    unsetenv(name_);  // NOLINT(concurrency-mt-unsafe): one thread.
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
};

TEST(ConfigTest, RepositoryAloneGivesTheDefaults) {
  const CommandLine line = Parse({"--model-repository=/models"});
  ASSERT_FALSE(line.exit_code.has_value()) << line.text;
  const ServerOptions& options = line.options;
  EXPECT_EQ(options.model_repository, "/models");
  EXPECT_FALSE(options.exit_on_error);
  EXPECT_TRUE(options.strict_readiness);
  EXPECT_EQ(options.grpc_address, "0.0.0.0");
  EXPECT_EQ(options.grpc_port, 8001);
  EXPECT_TRUE(options.allow_metrics);
  EXPECT_EQ(options.metrics_address, "0.0.0.0");
  EXPECT_EQ(options.metrics_port, 8002);
  EXPECT_EQ(options.threads, 0);
  EXPECT_EQ(options.busy_poll_us, 0);
  EXPECT_EQ(options.grpc_poll_strategy, PollStrategy::kPoll);
  EXPECT_EQ(options.instance_count, 0);
  EXPECT_EQ(options.intra_op_threads, 2);
  EXPECT_EQ(options.max_batch_rows, 64);
  EXPECT_EQ(options.drain_timeout, milliseconds(30'000));
  EXPECT_EQ(options.lame_duck, milliseconds(5000));
  EXPECT_EQ(options.log.format, LogFormat::kText);
  EXPECT_TRUE(options.log.info);
  EXPECT_EQ(options.log.verbose_level, 0);
  EXPECT_EQ(options.log.file, "");
  EXPECT_EQ(options.access_log.share, 0);
  EXPECT_EQ(options.access_log.errors_per_second, 0);
}

TEST(ConfigTest, EveryFlagIsTaken) {
  const CommandLine line = Parse({"--model-repository=/m",
                                  "--exit-on-error=true",
                                  "--strict-readiness=false",
                                  "--grpc-address=127.0.0.1",
                                  "--grpc-port=0",
                                  "--allow-metrics=false",
                                  "--triton-metrics=false",
                                  "--metrics-address=::1",
                                  "--metrics-port=9",
                                  "--threads=3",
                                  "--busy-poll=150",
                                  "--grpc-poll-strategy=epoll1",
                                  "--instance-count=4",
                                  "--max-batch-rows=128",
                                  "--intra-op-threads=5",
                                  "--drain-timeout=1.5",
                                  "--lame-duck=0.25",
                                  "--log-format=json",
                                  "--log-file=relud.log",
                                  "--log-level=trace",
                                  "--access-log=0.01",
                                  "--access-log-errors=20"});
  ASSERT_FALSE(line.exit_code.has_value()) << line.text;
  const ServerOptions& options = line.options;
  EXPECT_EQ(options.model_repository, "/m");
  EXPECT_TRUE(options.exit_on_error);
  EXPECT_FALSE(options.strict_readiness);
  EXPECT_EQ(options.grpc_address, "127.0.0.1");
  EXPECT_EQ(options.grpc_port, 0);
  EXPECT_FALSE(options.allow_metrics);
  EXPECT_FALSE(options.triton_metrics);
  EXPECT_EQ(options.metrics_address, "::1");
  EXPECT_EQ(options.metrics_port, 9);
  EXPECT_EQ(options.threads, 3);
  EXPECT_EQ(options.busy_poll_us, 150);
  EXPECT_EQ(options.grpc_poll_strategy, PollStrategy::kEpoll1);
  EXPECT_EQ(options.instance_count, 4);
  EXPECT_EQ(options.max_batch_rows, 128);
  EXPECT_EQ(options.intra_op_threads, 5);
  EXPECT_EQ(options.drain_timeout, milliseconds(1500));
  EXPECT_EQ(options.lame_duck, milliseconds(250));
  EXPECT_EQ(options.log.format, LogFormat::kJson);
  EXPECT_EQ(options.log.verbose_level, 2);
  EXPECT_EQ(options.log.file, "relud.log");
  EXPECT_EQ(options.access_log.share, 0.01);
  EXPECT_EQ(options.access_log.errors_per_second, 20);
}

TEST(ConfigTest, RepositoryFlagsAreTaken) {
  const CommandLine line = ParseWithRepository(
      {"--model-control-mode=explicit", "--load-model=a", "--load-model=b,c",
       "--repository-poll-secs=0.5", "--repository-settle-secs=0",
       "--model-memory-budget-bytes=1000000000000"});
  ASSERT_FALSE(line.exit_code.has_value()) << line.text;
  const RepositorySettings& settings = line.options.repository;
  EXPECT_EQ(settings.control, ControlMode::kExplicit);
  EXPECT_THAT(settings.load_models, testing::ElementsAre("a", "b", "c"));
  EXPECT_EQ(settings.poll_seconds, 0.5);
  EXPECT_EQ(settings.settle_seconds, 0);
  EXPECT_EQ(settings.memory_budget_bytes, 1'000'000'000'000U);
}

TEST(ConfigTest, ModelsToLoadMayComeFromTheEnvironment) {
  const Environment mode("RELUD_MODEL_CONTROL_MODE", "explicit");
  const Environment models("RELUD_LOAD_MODEL", "a,b");
  const CommandLine line = ParseWithRepository({});
  ASSERT_FALSE(line.exit_code.has_value()) << line.text;
  EXPECT_THAT(line.options.repository.load_models,
              testing::ElementsAre("a", "b"));
}

TEST(ConfigTest, SettingsThatContradictEndWithTwo) {
  const CommandLine line = ParseWithRepository({"--load-model=a"});
  EXPECT_EQ(line.exit_code, kExitUsage);
  EXPECT_THAT(line.text, HasSubstr("--load-model"));
}

TEST(ConfigTest, ValueMayFollowAsAWord) {
  const CommandLine line = ParseWithRepository({"--grpc-port", "7"});
  ASSERT_FALSE(line.exit_code.has_value()) << line.text;
  EXPECT_EQ(line.options.grpc_port, 7);
}

TEST(ConfigTest, LastOfRepeatedFlagsWins) {
  const CommandLine line =
      ParseWithRepository({"--grpc-port=1", "--grpc-port=2"});
  ASSERT_FALSE(line.exit_code.has_value()) << line.text;
  EXPECT_EQ(line.options.grpc_port, 2);
}

TEST(ConfigTest, EnvironmentIsReadWhereTheFlagIsMissing) {
  const Environment repository("RELUD_MODEL_REPOSITORY", "/from/env");
  const Environment port("RELUD_GRPC_PORT", "7001");
  const Environment metrics("RELUD_ALLOW_METRICS", "false");
  const Environment level("RELUD_LOG_LEVEL", "debug");
  const CommandLine line = Parse({"--grpc-port=7002"});
  ASSERT_FALSE(line.exit_code.has_value()) << line.text;
  EXPECT_EQ(line.options.model_repository, "/from/env");
  EXPECT_EQ(line.options.grpc_port, 7002);
  EXPECT_FALSE(line.options.allow_metrics);
  EXPECT_EQ(line.options.log.verbose_level, 1);
}

TEST(ConfigTest, WrongEnvironmentEndsWithTwo) {
  const Environment port("RELUD_GRPC_PORT", "none");
  const CommandLine line = ParseWithRepository({});
  EXPECT_EQ(line.exit_code, kExitUsage);
  EXPECT_THAT(line.text, HasSubstr("none"));
}

TEST(ConfigTest, MissingRepositoryEndsWithTwo) {
  const CommandLine line = Parse({});
  EXPECT_EQ(line.exit_code, kExitUsage);
  EXPECT_THAT(line.text, HasSubstr("--model-repository"));
}

TEST(ConfigTest, WrongValueEndsWithTwoAndNamesFlagAndValue) {
  for (const auto& [flag, value] :
       std::vector<std::pair<std::string, std::string>>{
           {"--grpc-port", "65536"},
           {"--model-control-mode", "sometimes"},
           {"--repository-poll-secs", "0"},
           {"--repository-settle-secs", "-1"},
           {"--model-memory-budget-bytes", "-1"},
           {"--grpc-port", "-1"},
           {"--metrics-port", "x"},
           {"--allow-metrics", "maybe"},
           {"--max-message-bytes", "2147483648"},
           {"--threads", "-1"},
           {"--busy-poll", "-1"},
           {"--grpc-poll-strategy", "epollex"},
           {"--instance-count", "1025"},
           {"--max-batch-rows", "0"},
           {"--intra-op-threads", "0"},
           {"--drain-timeout", "-1"},
           {"--lame-duck", "soon"},
           {"--log-format", "xml"},
           {"--log-level", "loud"},
           {"--access-log", "1.5"},
           {"--access-log-errors", "-1"}}) {
    const std::string text = flag + "=" + value;
    const CommandLine line = ParseWithRepository({text.c_str()});
    EXPECT_EQ(line.exit_code, kExitUsage) << text;
    EXPECT_THAT(line.text, AllOf(HasSubstr(flag), HasSubstr(value))) << text;
  }
}

TEST(ConfigTest, UnknownFlagEndsWithTwo) {
  const CommandLine line = ParseWithRepository({"--turbo=9"});
  EXPECT_EQ(line.exit_code, kExitUsage);
  EXPECT_THAT(line.text, HasSubstr("--turbo"));
}

TEST(ConfigTest, MisspelledRepositoryFlagIsNamed) {
  const CommandLine line = Parse({"--model-repo=models"});
  EXPECT_EQ(line.exit_code, kExitUsage);
  EXPECT_THAT(line.text, HasSubstr("--model-repo=models"));
}

TEST(ConfigTest, WordWithoutFlagEndsWithTwo) {
  EXPECT_EQ(ParseWithRepository({"serve"}).exit_code, kExitUsage);
}

TEST(ConfigTest, VersionIsPrintedAndEndsWithZero) {
  const CommandLine line = Parse({"--version"});
  EXPECT_EQ(line.exit_code, 0);
  EXPECT_THAT(line.text,
              testing::MatchesRegex("relud [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(ConfigTest, HelpNamesUnitDefaultAndVariableOfAFlag) {
  const CommandLine line = Parse({"--help"});
  EXPECT_EQ(line.exit_code, 0);
  EXPECT_THAT(line.text,
              HasSubstr("  --drain-timeout=SECONDS\n"
                        "      After SIGTERM, SIGINT or SIGHUP, how long "
                        "requests in flight may take\n"
                        "      before they are cancelled. Default: 30. "
                        "Environment: RELUD_DRAIN_TIMEOUT.\n"));
}

TEST(ConfigTest, HelpFitsEightyColumns) {
  std::string text = Parse({"--help"}).text;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    EXPECT_LE(end, 80U) << text.substr(0, end);
    text.erase(0, end + 1);
  }
}

TEST(ConfigTest, HelpDoesNotDependOnTheEnvironment) {
  const std::string without = Parse({"--help"}).text;
  const Environment port("RELUD_GRPC_PORT", "7001");
  EXPECT_EQ(Parse({"--help"}).text, without);
}

}  // namespace
}  // namespace relu
