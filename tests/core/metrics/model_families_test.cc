#include "core/metrics/model_families.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"

#include "core/metrics/model_metrics.h"
#include "core/metrics/reject_reason.h"

namespace relu {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using std::chrono::microseconds;

class ModelFamiliesTest : public testing::Test {
 protected:
  ModelFamiliesTest() {
    metrics_.CountArrival();
    metrics_.CountArrival();
    metrics_.CountArrival();
    metrics_.CountBatch(8, {.input = microseconds(1),
                            .infer = microseconds(10),
                            .output = microseconds(2)});
    metrics_.CountBatch(2, {.infer = microseconds(3)});
    metrics_.CountAnswer(10, {.decode = microseconds(4),
                              .queue = microseconds(40),
                              .compute = {.input = microseconds(1),
                                          .infer = microseconds(13),
                                          .output = microseconds(2)},
                              .encode = microseconds(5),
                              .total = microseconds(100)});
    metrics_.CountFailure(absl::StatusCode::kUnavailable,
                          RejectReason::kQueueTime, microseconds(7));
    metrics_.SetQueuedRequests(6);
    metrics_.CountExplanations(12, microseconds(70));
    metrics_.CountRank(512, microseconds(80));
  }

  std::vector<LabelledFigures> Models() {
    return {{"m", "3", metrics_.Read()}};
  }

  ModelMetrics metrics_{"m", "3", 64, 2};
};

MetricFamily Find(const std::vector<MetricFamily>& families,
                  const std::string& name) {
  const auto family = std::ranges::find(families, name, &MetricFamily::name);
  EXPECT_NE(family, families.end()) << name;
  return family == families.end() ? MetricFamily() : *family;
}

// The metric with this value of `label`.
ClientMetric With(const MetricFamily& family, const std::string& label,
                  const std::string& value) {
  for (const ClientMetric& metric : family.metric) {
    for (const ClientMetric::Label& found : metric.label) {
      if (found.name == label && found.value == value) {
        return metric;
      }
    }
  }
  ADD_FAILURE() << family.name << " has no " << label << " " << value;
  return {};
}

TEST_F(ModelFamiliesTest, EveryMetricHasModelAndVersion) {
  for (const auto& families :
       {ModelFamilies(Models(), {}), TritonFamilies(Models())}) {
    for (const MetricFamily& family : families) {
      ASSERT_FALSE(family.metric.empty());
      EXPECT_EQ(family.metric.back().label[0],
                (ClientMetric::Label{"model", "m"}))
          << family.name;
      EXPECT_EQ(family.metric.back().label[1],
                (ClientMetric::Label{"version", "3"}));
      EXPECT_FALSE(family.help.empty());
    }
  }
}

TEST_F(ModelFamiliesTest, RequestsStandByModelAndByCode) {
  ModelFigures without_model;
  without_model.requests[StatusIndex(absl::StatusCode::kNotFound)] = 5;

  const MetricFamily requests =
      Find(ModelFamilies(Models(), without_model), "relu_requests_total");

  EXPECT_EQ(requests.metric.size(), 2 * kStatusCodes);
  EXPECT_EQ(With(requests, "code", "NOT_FOUND").label[0].value, "");
  EXPECT_EQ(With(requests, "code", "NOT_FOUND").counter.value, 5);
  const MetricFamily of_model =
      Find(ModelFamilies(Models(), {}), "relu_requests_total");
  EXPECT_EQ(of_model.metric[kStatusCodes].counter.value, 1);
}

TEST_F(ModelFamiliesTest, RejectsStandByModelAndByReason) {
  ModelFigures without_model;
  without_model.rejects[static_cast<std::size_t>(RejectReason::kNotFound)] = 5;

  const MetricFamily rejects =
      Find(ModelFamilies(Models(), without_model), "relu_rejects_total");

  // No series for what is no reject.
  EXPECT_EQ(rejects.metric.size(), 2 * (kRejectReasons - 1));
  EXPECT_EQ(With(rejects, "reason", "not_found").label[0].value, "");
  EXPECT_EQ(With(rejects, "reason", "not_found").counter.value, 5);
  const auto of_model = std::span(rejects.metric).subspan(kRejectReasons - 1);
  double sum = 0;
  for (const ClientMetric& metric : of_model) {
    EXPECT_EQ(metric.label[0].value, "m");
    sum += metric.counter.value;
    EXPECT_EQ(metric.counter.value,
              metric.label[2].value == "queue_time" ? 1 : 0);
  }
  EXPECT_EQ(sum, 1);
}

TEST_F(ModelFamiliesTest, CountersAndGaugesAreThoseOfTheFigures) {
  const auto families = ModelFamilies(Models(), {});

  EXPECT_EQ(Find(families, "relu_rows_total").metric[0].counter.value, 10);
  EXPECT_EQ(Find(families, "relu_batches_total").metric[0].counter.value, 2);
  EXPECT_EQ(Find(families, "relu_explanations_total").metric[0].counter.value,
            12);
  EXPECT_EQ(Find(families, "relu_queue_requests").metric[0].gauge.value, 6);
  EXPECT_EQ(Find(families, "relu_in_flight_requests").metric[0].gauge.value, 1);
}

TEST_F(ModelFamiliesTest, BucketsAreCumulativeAndInSeconds) {
  const auto families = ModelFamilies(Models(), {});

  const auto compute =
      Find(families, "relu_compute_seconds").metric[0].histogram;
  EXPECT_EQ(compute.sample_count, 2U);
  EXPECT_NEAR(compute.sample_sum, 13e-6, 1e-12);
  ASSERT_EQ(compute.bucket.size(), kTimeBounds.size());
  EXPECT_NEAR(compute.bucket[2].upper_bound, 5e-6, 1e-15);
  EXPECT_EQ(compute.bucket[1].cumulative_count, 0U);
  EXPECT_EQ(compute.bucket[2].cumulative_count, 1U);
  EXPECT_EQ(compute.bucket[3].cumulative_count, 2U);
  EXPECT_EQ(compute.bucket.back().cumulative_count, 2U);
}

TEST_F(ModelFamiliesTest, EachPhaseHasItsHistogram) {
  const auto families = ModelFamilies(Models(), {});
  const auto sum = [&](const std::string& name) {
    return Find(families, name).metric[0].histogram.sample_sum * 1e6;
  };

  EXPECT_NEAR(sum("relu_queue_seconds"), 40, 1e-9);
  EXPECT_NEAR(sum("relu_batch_formation_seconds"), 1, 1e-9);
  EXPECT_NEAR(sum("relu_batch_scatter_seconds"), 2, 1e-9);
  EXPECT_NEAR(sum("relu_request_seconds"), 100, 1e-9);
  EXPECT_NEAR(sum("relu_explain_seconds"), 70, 1e-9);
  EXPECT_NEAR(sum("relu_rank_seconds"), 80, 1e-9);
  const MetricFamily codec = Find(families, "relu_codec_seconds");
  EXPECT_NEAR(With(codec, "stage", "decode").histogram.sample_sum, 4e-6, 1e-15);
  EXPECT_NEAR(With(codec, "stage", "encode").histogram.sample_sum, 5e-6, 1e-15);
}

TEST_F(ModelFamiliesTest, BatchRowsAreAHistogramOfSizes) {
  const auto rows =
      Find(ModelFamilies(Models(), {}), "relu_batch_rows").metric[0].histogram;

  EXPECT_EQ(rows.sample_count, 2U);
  EXPECT_EQ(rows.sample_sum, 10);
  EXPECT_EQ(rows.bucket[0].cumulative_count, 0U);  // 1
  EXPECT_EQ(rows.bucket[1].cumulative_count, 1U);  // 2
  EXPECT_EQ(rows.bucket[2].cumulative_count, 1U);  // 4
  EXPECT_EQ(rows.bucket[3].cumulative_count, 2U);  // 8
}

TEST_F(ModelFamiliesTest, TritonNamesMeanWhatTritonMeans) {
  const auto families = TritonFamilies(Models());
  const auto counter = [&](const std::string& name) {
    return Find(families, name).metric[0].counter.value;
  };

  EXPECT_EQ(counter("nv_inference_request_success"), 1);
  EXPECT_EQ(counter("nv_inference_count"), 10);
  EXPECT_EQ(counter("nv_inference_exec_count"), 2);
  EXPECT_NEAR(counter("nv_inference_request_duration_us"), 100, 1e-9);
  EXPECT_NEAR(counter("nv_inference_queue_duration_us"), 40, 1e-9);
  EXPECT_NEAR(counter("nv_inference_compute_input_duration_us"), 1, 1e-9);
  EXPECT_NEAR(counter("nv_inference_compute_infer_duration_us"), 13, 1e-9);
  EXPECT_NEAR(counter("nv_inference_compute_output_duration_us"), 2, 1e-9);
  EXPECT_EQ(Find(families, "nv_inference_pending_request_count")
                .metric[0]
                .gauge.value,
            6);
}

TEST_F(ModelFamiliesTest, TritonFailuresStandByReason) {
  metrics_.CountFailure(absl::StatusCode::kDeadlineExceeded,
                        RejectReason::kNone, {});
  metrics_.CountFailure(absl::StatusCode::kCancelled, RejectReason::kNone, {});
  metrics_.CountFailure(absl::StatusCode::kInternal, RejectReason::kNone, {});
  metrics_.CountFailure(absl::StatusCode::kInvalidArgument, RejectReason::kNone,
                        {});
  metrics_.CountFailure(absl::StatusCode::kNotFound, RejectReason::kNone, {});

  const MetricFamily failures =
      Find(TritonFamilies(Models()), "nv_inference_request_failure");

  EXPECT_EQ(With(failures, "reason", "REJECTED").counter.value, 2);
  EXPECT_EQ(With(failures, "reason", "CANCELED").counter.value, 1);
  EXPECT_EQ(With(failures, "reason", "BACKEND").counter.value, 1);
  EXPECT_EQ(With(failures, "reason", "OTHER").counter.value, 2);
}

}  // namespace
}  // namespace relu
