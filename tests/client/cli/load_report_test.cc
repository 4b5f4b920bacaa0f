#include "client/cli/load_report.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/load/call.h"
#include "client/load/load_run.h"
#include "client/load/request.h"
#include "nlohmann/json.hpp"

namespace relu {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// 1000 good calls of 1 to 1000 us in one second, and one failed.
load::LoadResult Result() {
  const load::Request request;
  load::LoadResult result;
  load::Measurements window(1);
  window.length = seconds(1);
  window.answered = 1000;
  window.rows = 4000;
  window.sent = 1001;
  window.bytes_sent = 2'000'000;
  window.cpu = milliseconds(500);
  for (int i = 1; i <= 1001; ++i) {
    load::Call call{.request = &request};
    call.answered = load::TimePoint(microseconds(i));
    call.code =
        i > 1000 ? absl::StatusCode::kUnavailable : absl::StatusCode::kOk;
    call.error = "gone\n";
    window.Record(call);
  }
  result.windows = {window};
  result.total = window;
  return result;
}

IntervalStatistics Served() {
  return {.name = "m",
          .version = "7",
          .requests = 1000,
          .rows = 4000,
          .batches = 500,
          .total_us = 321,
          .queue_us = 12.5,
          .compute_infer_us = 100,
          .batch_sizes = {{8, 500}}};
}

LoadReport Report(int steps) {
  LoadReport report{.server = "localhost:8001",
                    .started = "2030-01-02T03:04:05Z",
                    .models = {"m"},
                    .settings = {{"threads", "1"}},
                    .threads = 1,
                    .steps = {},
                    .peak = {}};
  for (int i = 1; i <= steps; ++i) {
    report.steps.push_back({.pace = load::Concurrency{.calls = i},
                            .result = Result(),
                            .server = {Served()}});
  }
  return report;
}

TEST(LoadReportTest, PacesHaveTheirText) {
  EXPECT_EQ(PaceText(load::Concurrency{.calls = 64}), "64 in flight");
  EXPECT_EQ(PaceText(load::Rate{.per_second = 12345}), "12345/s");
  EXPECT_EQ(PaceText(load::Rate{.per_second = 0.5, .poisson = true}),
            "0.5/s (Poisson)");
  EXPECT_EQ(
      PaceText(load::Replayed{
          .times =
              std::make_shared<const std::vector<std::chrono::nanoseconds>>(
                  3)}),
      "replay of 3 times");
}

TEST(LoadReportTest, OneStepIsShownInFull) {
  const std::string text = LoadReportTable(Report(1));
  for (const char* part :
       {"1 in flight", "1000.0 calls/s, 4000.0 rows/s", "1000 good, 1 failed",
        "2.00 MB/s", "50 % of 1 core", "p99.99", "from the intended start",
        "from the send", "UNAVAILABLE", "gone\\n", "the server says", "12.5",
        "8.00"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(LoadReportTest, StepsOfASweepHaveALineEach) {
  LoadReport report = Report(2);
  report.steps[1].warnings = {"too hot"};
  report.peak = LoadPeak{.per_second = 1234.5, .target_ms = 5};
  const std::string text = LoadReportTable(report);
  EXPECT_THAT(text, HasSubstr("\n1 in flight "));
  EXPECT_THAT(text, HasSubstr("\n2 in flight "));
  EXPECT_THAT(text, HasSubstr("warning: 2 in flight: too hot"));
  EXPECT_THAT(text, HasSubstr("peak: 1234.5 calls/s with a p99 of at most 5"));
  report.peak->per_second.reset();
  EXPECT_THAT(LoadReportTable(report), HasSubstr("no rate"));
}

TEST(LoadReportTest, JsonHasEverything) {
  LoadReport report = Report(1);
  report.peak = LoadPeak{.per_second = 10, .target_ms = 5};
  const auto json = nlohmann::json::parse(LoadReportJson(report));
  EXPECT_EQ(json["server"], "localhost:8001");
  EXPECT_EQ(json["settings"]["threads"], "1");
  EXPECT_EQ(json["peak"]["calls_per_second"], 10);
  const auto& step = json["steps"][0];
  EXPECT_EQ(step["pace"]["concurrency"], 1);
  EXPECT_EQ(step["calls_per_second"], 1000.0);
  EXPECT_EQ(step["calls"]["good"], 1000);
  EXPECT_EQ(step["calls"]["failed"], 1);
  EXPECT_EQ(step["errors"][0]["code"], "UNAVAILABLE");
  EXPECT_EQ(step["errors"][0]["message"], "gone\n");
  EXPECT_NEAR(step["latency_us"]["p50"].get<double>(), 500, 1);
  EXPECT_NEAR(step["latency_us"]["p99.9"].get<double>(), 999, 1);
  EXPECT_EQ(step["latency_us"]["max"], 1000.0);
  EXPECT_EQ(step["windows"][0]["calls_per_second"], 1000.0);
  EXPECT_EQ(step["client_cpu_share"], 0.5);
  EXPECT_EQ(step["models"][0]["good"], 1000);
  EXPECT_EQ(step["server"][0]["queue_us"], 12.5);
  EXPECT_EQ(step["server"][0]["rows_per_batch"], 8.0);
  EXPECT_EQ(step["server"][0]["batch_sizes"][0]["rows"], 8);
  EXPECT_EQ(step["percentiles"].front()[0], 0.0);
  EXPECT_EQ(step["percentiles"].back(), nlohmann::json({100, 1000.0}));
  std::uint64_t calls = 0;
  double last = 0;
  for (const auto& bin : step["histogram"]) {
    EXPECT_GE(bin[0].get<double>(), last);
    EXPECT_GT(bin[1].get<double>(), bin[0].get<double>());
    last = bin[1].get<double>();
    calls += bin[2].get<std::uint64_t>();
  }
  EXPECT_EQ(calls, 1000U);
}

TEST(LoadReportTest, JsonOfARunWithoutAnswersIsValid) {
  LoadReport report = Report(0);
  report.steps.push_back(
      {.pace = load::Rate{.per_second = 7}, .result = {}, .warnings = {}});
  const auto json = nlohmann::json::parse(LoadReportJson(report));
  EXPECT_EQ(json["steps"][0]["calls_per_second"], 0);
  EXPECT_EQ(json["steps"][0]["pace"]["arrivals"], "constant");
  EXPECT_TRUE(json["steps"][0]["percentiles"].empty());
  EXPECT_FALSE(json.contains("peak"));
}

TEST(LoadReportTest, CsvHasALineOfNamesAndOneForEachStep) {
  const std::string text = LoadReportCsv(Report(2));
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], testing::StartsWith("load,calls_per_second,"));
  EXPECT_THAT(lines[1], testing::StartsWith("1 in flight,1000.000,4000.000,"));
  for (const std::string& line : lines) {
    EXPECT_EQ(std::ranges::count(line, ','), std::ranges::count(lines[0], ','));
  }
}

TEST(LoadReportTest, WarnsWhenTheClientIsTheLimit) {
  load::LoadResult result = Result();
  EXPECT_THAT(WarningsOf(load::Concurrency{}, result, 1), IsEmpty());
  EXPECT_THAT(WarningsOf(load::Rate{}, result, 1), IsEmpty());
  result.total.cpu = milliseconds(950);
  EXPECT_THAT(WarningsOf(load::Concurrency{}, result, 1),
              ElementsAre(HasSubstr("95 % of 1 core")));
  EXPECT_THAT(WarningsOf(load::Concurrency{}, result, 2), IsEmpty());
}

TEST(LoadReportTest, WarnsWhenCallsWereSentLate) {
  load::LoadResult result = Result();
  for (int i = 0; i < 100; ++i) {
    result.total.send_delay.Record(milliseconds(5));
  }
  EXPECT_THAT(WarningsOf(load::Rate{}, result, 1),
              ElementsAre(HasSubstr("sent 50")));
  EXPECT_THAT(WarningsOf(load::Concurrency{}, result, 1), IsEmpty());
  result.interrupted = true;
  EXPECT_THAT(WarningsOf(load::Concurrency{}, result, 1),
              ElementsAre(HasSubstr("interrupted")));
}

}  // namespace
}  // namespace relu
