#include "core/metrics/metrics.h"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"

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
  metrics.ForModel("m", "1");

  const std::string text = metrics.Text();

  for (const char* family :
       {"relu_requests_total counter", "relu_rows_total counter",
        "relu_batches_total counter", "relu_batch_rows histogram",
        "relu_queue_seconds histogram", "relu_compute_seconds histogram",
        "relu_request_seconds histogram", "relu_model_ready gauge",
        "relu_build_info gauge", "process_start_time_seconds gauge",
        "process_resident_memory_bytes gauge"}) {
    const std::string name =
        std::string(family).substr(0, std::string_view(family).find(' '));
    EXPECT_THAT(text, HasSubstr("# TYPE " + std::string(family) + "\n"));
    EXPECT_THAT(text, HasSubstr("# HELP " + name + " "));
  }
}

TEST(MetricsTest, ModelFiguresCarryModelAndVersion) {
  Metrics metrics("1");
  const ModelMetrics model = metrics.ForModel("m", "3");

  model.batches->Increment();
  model.rows->Increment(5);
  model.ready->Set(1);

  const std::string text = metrics.Text();
  EXPECT_EQ(Value(text, R"(relu_batches_total{model="m",version="3"})"), "1");
  EXPECT_EQ(Value(text, R"(relu_rows_total{model="m",version="3"})"), "5");
  EXPECT_EQ(Value(text, R"(relu_model_ready{model="m",version="3"})"), "1");
}

TEST(MetricsTest, HistogramsCountWhatIsObserved) {
  Metrics metrics("1");
  const ModelMetrics model = metrics.ForModel("m", "1");

  model.batch_rows->Observe(64);
  model.queue_seconds->Observe(1e-6);
  model.compute_seconds->Observe(0.5);
  model.request_seconds->Observe(11);

  const std::string text = metrics.Text();
  EXPECT_EQ(
      Value(text, R"(relu_batch_rows_bucket{model="m",version="1",le="32"})"),
      "0");
  EXPECT_EQ(
      Value(text, R"(relu_batch_rows_bucket{model="m",version="1",le="64"})"),
      "1");
  EXPECT_EQ(Value(text, R"(relu_queue_seconds_count{model="m",version="1"})"),
            "1");
  EXPECT_EQ(Value(text, R"(relu_compute_seconds_sum{model="m",version="1"})"),
            "0.5");
  EXPECT_EQ(
      Value(text,
            R"(relu_request_seconds_bucket{model="m",version="1",le="10"})"),
      "0");
  EXPECT_EQ(
      Value(text,
            R"(relu_request_seconds_bucket{model="m",version="1",le="+Inf"})"),
      "1");
}

TEST(MetricsTest, CountRequestCountsByCode) {
  Metrics metrics("1");
  const ModelMetrics model = metrics.ForModel("m", "1");

  model.CountRequest(absl::StatusCode::kOk);
  model.CountRequest(absl::StatusCode::kOk);
  model.CountRequest(absl::StatusCode::kUnauthenticated);

  const std::string text = metrics.Text();
  EXPECT_EQ(Value(text, R"(relu_requests_total{code="OK",model="m"})"), "2");
  EXPECT_EQ(
      Value(text, R"(relu_requests_total{code="UNAUTHENTICATED",model="m"})"),
      "1");
  EXPECT_EQ(Value(text, R"(relu_requests_total{code="INTERNAL",model="m"})"),
            "0");
}

TEST(MetricsTest, CountRequestTakesUnheardOfCodeAsUnknown) {
  Metrics metrics("1");
  const ModelMetrics model = metrics.ForModel("m", "1");

  model.CountRequest(static_cast<absl::StatusCode>(99));
  model.CountRequest(static_cast<absl::StatusCode>(-1));

  EXPECT_EQ(
      Value(metrics.Text(), R"(relu_requests_total{code="UNKNOWN",model="m"})"),
      "2");
}

TEST(MetricsTest, EveryStatusCodeHasItsOwnCounter) {
  Metrics metrics("1");

  const ModelMetrics model = metrics.ForModel("m", "1");

  const std::set<prometheus::Counter*> counters(model.requests.begin(),
                                                model.requests.end());
  EXPECT_EQ(counters.size(), kStatusCodes);
}

TEST(MetricsTest, RequestsWithoutModelHaveEmptyModelLabel) {
  Metrics metrics("1");

  metrics.CountRequestWithoutModel(absl::StatusCode::kNotFound);

  EXPECT_EQ(Value(metrics.Text(),
                  R"(relu_requests_total{code="NOT_FOUND",model=""})"),
            "1");
}

TEST(MetricsTest, ForModelReturnsSameFiguresForSameNameAndVersion) {
  Metrics metrics("1");

  const ModelMetrics first = metrics.ForModel("m", "1");
  const ModelMetrics again = metrics.ForModel("m", "1");
  const ModelMetrics other = metrics.ForModel("m", "2");

  EXPECT_EQ(first.rows, again.rows);
  EXPECT_EQ(first.batch_rows, again.batch_rows);
  EXPECT_NE(first.rows, other.rows);
  // Requests are counted by model, not by version.
  EXPECT_EQ(first.requests, other.requests);
}

TEST(MetricsTest, TextEscapesModelName) {
  Metrics metrics("1");

  metrics.ForModel("a\"b\\c\nd\xC3\xA9", "1").ready->Set(1);

  const std::string text = metrics.Text();
  EXPECT_EQ(
      Value(
          text,
          "relu_model_ready{model=\"a\\\"b\\\\c\\nd\xC3\xA9\",version=\"1\"}"),
      "1");
  EXPECT_THAT(text, Not(HasSubstr("c\nd")));
}

}  // namespace
}  // namespace relu
