#include "core/metrics/metrics.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/model_metrics.h"
#include "core/metrics/reject_reason.h"
#include "core/metrics/repository_metrics.h"

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The value of the line that starts with `series`, or "" if there is none.
std::string Value(std::string_view text, std::string_view series) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = text.find('\n', begin);
    const std::string_view line = text.substr(begin, end - begin);
    if (line.starts_with(series) && line.size() > series.size() &&
        line[series.size()] == ' ') {
      return std::string(line.substr(series.size() + 1));
    }
    begin = end + 1;
  }
  return "";
}

TEST(MetricsTest, BuildInfoHoldsVersion) {
  const Metrics metrics("1.2.3");

  EXPECT_EQ(Value(metrics.Text(), R"(relu_build_info{version="1.2.3"})"), "1");
}

TEST(MetricsTest, ProcessFiguresArePresent) {
  const Metrics metrics("1");

  const std::string text = metrics.Text();

  // One page is the least that a process can have; 2020 is in the past.
  EXPECT_GT(std::stod(Value(text, "process_resident_memory_bytes")), 4095);
  EXPECT_GT(std::stod(Value(text, "process_start_time_seconds")), 1.577e9);
}

TEST(MetricsTest, EveryFamilyHasTypeAndHelp) {
  Metrics metrics("1");
  const auto model = metrics.ForModel("m", "1", 64);
  metrics.repository().SetVersion("m", 1, true, 0);

  const std::string text = metrics.Text();

  for (const char* family :
       {"relu_requests_total counter", "relu_batch_rows histogram",
        "relu_queue_requests gauge", "nv_inference_count counter",
        "relu_model_ready gauge", "relu_build_info gauge",
        "process_start_time_seconds gauge",
        "process_resident_memory_bytes gauge"}) {
    const std::string name =
        std::string(family).substr(0, std::string_view(family).find(' '));
    EXPECT_THAT(text, HasSubstr("# TYPE " + std::string(family) + "\n"));
    EXPECT_THAT(text, HasSubstr("# HELP " + name + " "));
  }
}

TEST(MetricsTest, RefusedConnectionsAreCounted) {
  Metrics metrics("1");
  EXPECT_EQ(Value(metrics.Text(), "relu_connections_refused_total"), "0");

  metrics.CountRefusedConnection();

  EXPECT_EQ(Value(metrics.Text(), "relu_connections_refused_total"), "1");
}

TEST(MetricsTest, UnreadAnswersAreCounted) {
  Metrics metrics("1");
  EXPECT_EQ(Value(metrics.Text(), "relu_unread_answers_total"), "0");

  metrics.CountUnreadAnswer();

  EXPECT_EQ(Value(metrics.Text(), "relu_unread_answers_total"), "1");
}

TEST(MetricsTest, FailuresOfExplainAreCountedByCode) {
  Metrics metrics("1");

  metrics.CountExplainFailure(absl::StatusCode::kResourceExhausted);

  const std::string text = metrics.Text();
  EXPECT_EQ(
      Value(text, R"(relu_explain_failures_total{code="RESOURCE_EXHAUSTED"})"),
      "1");
  EXPECT_EQ(Value(text, R"(relu_explain_failures_total{code="CANCELLED"})"),
            "0");
}

TEST(MetricsTest, ModelFiguresAreExportedAsLongAsSomebodyHoldsThem) {
  Metrics metrics("1");
  auto model = metrics.ForModel("m", "3", 64);
  model->CountBatch(5, {});
  const std::string series = R"(relu_rows_total{model="m",version="3"})";

  EXPECT_EQ(Value(metrics.Text(), series), "5");

  model = nullptr;
  EXPECT_EQ(Value(metrics.Text(), series), "");
}

TEST(MetricsTest, ForModelReturnsSameFiguresForSameNameAndVersion) {
  Metrics metrics("1");

  const auto first = metrics.ForModel("m", "1", 64);
  const auto again = metrics.ForModel("m", "1", 32);
  const auto other = metrics.ForModel("m", "2", 64);

  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
}

TEST(MetricsTest, ForModelReturnsNewFiguresForLargerBatches) {
  Metrics metrics("1");
  const auto small = metrics.ForModel("m", "1", 64);

  const auto large = metrics.ForModel("m", "1", 128);

  EXPECT_EQ(large->max_batch_rows(), 128);
  EXPECT_EQ(metrics.ForModel("m", "1", 64), large);
}

TEST(MetricsTest, RequestsWithoutModelHaveEmptyModelLabel) {
  Metrics metrics("1");

  metrics.CountRequestWithoutModel(absl::StatusCode::kNotFound,
                                   RejectReason::kNotFound);

  EXPECT_EQ(
      Value(metrics.Text(),
            R"(relu_requests_total{model="",version="",code="NOT_FOUND"})"),
      "1");
  EXPECT_EQ(
      Value(metrics.Text(),
            R"(relu_rejects_total{model="",version="",reason="not_found"})"),
      "1");
}

TEST(MetricsTest, BytesInFlightAreTheLastNumberSet) {
  Metrics metrics("1");

  metrics.SetInFlightBytes(5);
  metrics.SetInFlightBytes(4711);

  EXPECT_EQ(Value(metrics.Text(), "relu_in_flight_bytes"), "4711");
}

TEST(MetricsTest, TritonNamesCanBeLeftOut) {
  Metrics metrics({.version = "1", .shards = 1, .triton_names = false});
  const auto model = metrics.ForModel("m", "1", 64);

  const std::string text = metrics.Text();

  EXPECT_THAT(text, Not(HasSubstr("nv_")));
  EXPECT_THAT(text, HasSubstr("relu_requests_total{model=\"m\""));
}

TEST(MetricsTest, RefreshRunsBeforeEachText) {
  Metrics metrics("1");
  const auto model = metrics.ForModel("m", "1", 64);
  std::uint64_t queued = 3;
  metrics.OnCollect([&] { model->SetQueuedRequests(queued); });
  const std::string series = R"(relu_queue_requests{model="m",version="1"})";

  EXPECT_EQ(Value(metrics.Text(), series), "3");
  queued = 4;
  EXPECT_EQ(Value(metrics.Text(), series), "4");
}

TEST(MetricsTest, TextEscapesModelName) {
  Metrics metrics("1");

  const auto model = metrics.ForModel("a\"b\\c\nd\xC3\xA9", "1", 64);
  model->CountBatch(1, {});

  const std::string text = metrics.Text();
  EXPECT_EQ(
      Value(text,
            "relu_rows_total{model=\"a\\\"b\\\\c\\nd\xC3\xA9\",version=\"1\"}"),
      "1");
  EXPECT_THAT(text, Not(HasSubstr("c\nd")));
}

}  // namespace
}  // namespace relu
