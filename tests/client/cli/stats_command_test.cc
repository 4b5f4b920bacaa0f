#include "client/cli/stats_command.h"

#include <chrono>
#include <cmath>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/console.h"
#include "client/inference_client.h"
#include "nlohmann/json.hpp"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

StatsSample SampleAt(seconds time, std::uint64_t requests) {
  ModelStatistics model;
  model.name = "m";
  model.version = "1";
  model.inference_count = 2 * requests;
  model.execution_count = requests / 4;
  model.success = {
      .count = requests,
      .time = std::chrono::microseconds(100) * static_cast<int>(requests)};
  model.queue = model.success;
  const auto count = static_cast<double>(requests);
  StatsSample sample;
  sample.time = std::chrono::steady_clock::time_point(time);
  sample.statistics = {model};
  sample.latencies[{"m", "1"}] = {{0.001, count}, {INFINITY, count}};
  sample.queued[{"m", "1"}] = 3;
  return sample;
}

TEST(StatsCommandTest, RatesAreThoseOfTheTimeInBetween) {
  const Listing listing =
      StatsBetween(SampleAt(seconds(10), 100), SampleAt(seconds(12), 300));
  ASSERT_EQ(listing.rows.size(), 1U);
  EXPECT_THAT(listing.rows[0],
              ElementsAre("m", "1", "100.0", "200.0", "0.0", "8.0", "3", "100",
                          "100.0", "0.0", "500", "900", "990"));
  EXPECT_EQ(listing.rows[0].size(), listing.names.size());
}

TEST(StatsCommandTest, WhatTheServerDoesNotTellStaysEmpty) {
  StatsSample before = SampleAt(seconds(10), 100);
  StatsSample after = SampleAt(seconds(12), 300);
  after.latencies.clear();
  after.queued.clear();
  const Listing listing = StatsBetween(before, after);
  EXPECT_EQ(listing.rows[0][6], "");
  EXPECT_EQ(listing.rows[0].back(), "");
}

TEST(StatsCommandTest, MetricsAreOnTheServersHost) {
  EXPECT_EQ(MetricsAddressOf("localhost:8001"), "localhost:8002");
  EXPECT_EQ(MetricsAddressOf("dns:///a:1"), "a:8002");
  EXPECT_EQ(MetricsAddressOf("ipv6:[::1]:5"), "[::1]:8002");
  EXPECT_EQ(MetricsAddressOf("unix:/run/relud.sock"), "");
}

FakeAnswers Counting() {
  FakeAnswers answers;
  auto& model = *answers.statistics.add_model_stats();
  model.set_name("m");
  model.set_version("1");
  return answers;
}

struct StatsRan {
  Outcome outcome;
  std::string shown;
};

StatsRan Stats(const FakeServer& server, const StatsOptions& options,
               bool terminal, OutputForm form = OutputForm::kTable) {
  const auto client = InferenceClient::Create(server.address()).value();
  std::istringstream in;
  std::ostringstream out;
  int looks = 0;
  Console console{.in = in,
                  .out = out,
                  .err = out,
                  .out_is_terminal = terminal,
                  .interrupted = [&looks] { return ++looks > 1000; }};
  Outcome outcome =
      RunStats(*client, "unix:/none", options, {.form = form}, console);
  return {.outcome = std::move(outcome), .shown = out.str()};
}

TEST(StatsCommandTest, PrintsOneIntervalIfNobodyLooks) {
  const FakeServer server(Counting());
  const StatsRan table = Stats(server, {.interval_seconds = 0.01}, false);
  EXPECT_EQ(table.outcome.code, ExitCode::kOk);
  EXPECT_THAT(table.outcome.out, HasSubstr("requests/s"));
  EXPECT_EQ(table.shown, "");
  const StatsRan json = Stats(server, {.interval_seconds = 0.01, .count = 1},
                              /*terminal=*/true, OutputForm::kJson);
  EXPECT_EQ(nlohmann::json::parse(json.outcome.out)[0]["requests/s"], 0.0);
  EXPECT_TRUE(nlohmann::json::parse(json.outcome.out)[0]["p99 us"].is_null());
}

TEST(StatsCommandTest, MetricsThatCannotBeReachedAreANote) {
  const FakeServer server(Counting());
  const StatsOptions options{.interval_seconds = 0.01,
                             .count = 1,
                             .metrics = "unix:/nonexistent/metrics"};
  const StatsRan table = Stats(server, options, /*terminal=*/false);
  EXPECT_EQ(table.outcome.code, ExitCode::kOk);
  EXPECT_THAT(table.outcome.err,
              HasSubstr("note: no percentiles and queues: metrics at "
                        "\"unix:/nonexistent/metrics\": "));
  EXPECT_THAT(table.outcome.err, HasSubstr("--metrics HOST:PORT\n"));
  EXPECT_THAT(Stats(server, options, /*terminal=*/true).shown,
              HasSubstr("note: no percentiles"));
  EXPECT_EQ(Stats(server, {.interval_seconds = 0.01}, false).outcome.err, "");
}

TEST(StatsCommandTest, RedrawsOnATerminalUntilItIsInterrupted) {
  const FakeServer server(Counting());
  const StatsRan twice =
      Stats(server, {.interval_seconds = 0.01, .count = 2}, true);
  EXPECT_EQ(twice.outcome.out, "");
  const std::size_t first = twice.shown.find("\x1b[2J");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(twice.shown.find("\x1b[2J", first + 1), std::string::npos);
  EXPECT_EQ(Stats(server, {.interval_seconds = 0.01}, true).outcome.code,
            ExitCode::kOk);
}

TEST(StatsCommandTest, ErrorsOfTheServerAreItsOutcome) {
  FakeAnswers answers;
  answers.status = {grpc::StatusCode::UNIMPLEMENTED, "no statistics"};
  const FakeServer server(std::move(answers));
  EXPECT_EQ(Stats(server, {}, false).outcome.code, ExitCode::kRefused);
}

}  // namespace
}  // namespace relu
