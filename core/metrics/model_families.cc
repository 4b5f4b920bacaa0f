#include "core/metrics/model_families.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"
#include "prometheus/metric_type.h"

#include "core/metrics/model_metrics.h"
#include "core/metrics/reject_reason.h"

namespace relu {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Models = std::span<const LabelledFigures>;

constexpr std::array<std::int64_t, 11> kRowBounds = {1,  2,   4,   8,   16,  32,
                                                     64, 128, 256, 512, 1024};

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

double Microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

ClientMetric Labelled(const LabelledFigures& model) {
  ClientMetric metric;
  metric.label = {{"model", model.model}, {"version", model.version}};
  return metric;
}

// `read` makes a double of ModelFigures.
template <typename Read>
MetricFamily Counter(const char* name, const char* help, Models models,
                     const Read& read) {
  MetricFamily family{name, help, MetricType::Counter, {}};
  for (const LabelledFigures& model : models) {
    family.metric.push_back(Labelled(model));
    family.metric.back().counter.value =
        static_cast<double>(read(model.figures));
  }
  return family;
}

template <typename Read>
MetricFamily Gauge(const char* name, const char* help, Models models,
                   const Read& read) {
  MetricFamily family{name, help, MetricType::Gauge, {}};
  for (const LabelledFigures& model : models) {
    family.metric.push_back(Labelled(model));
    family.metric.back().gauge.value = static_cast<double>(read(model.figures));
  }
  return family;
}

ClientMetric::Histogram ToHistogram(const TimeHistogram& times) {
  ClientMetric::Histogram histogram;
  histogram.sample_count = times.total.count;
  histogram.sample_sum = Seconds(times.total.sum);
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < kTimeBounds.size(); ++i) {
    cumulative += times.counts[i];
    histogram.bucket.push_back({cumulative, Seconds(kTimeBounds[i])});
  }
  return histogram;
}

MetricFamily Histogram(const char* name, const char* help, Models models,
                       TimeHistogram ModelFigures::*field) {
  MetricFamily family{name, help, MetricType::Histogram, {}};
  for (const LabelledFigures& model : models) {
    family.metric.push_back(Labelled(model));
    family.metric.back().histogram = ToHistogram(model.figures.*field);
  }
  return family;
}

MetricFamily CodecSeconds(Models models) {
  MetricFamily family{"relu_codec_seconds",
                      "Time of a request in the codec: parse and check the "
                      "message, make the bytes of the answer.",
                      MetricType::Histogram,
                      {}};
  for (const LabelledFigures& model : models) {
    for (const auto& [stage, times] :
         {std::pair("decode", &model.figures.decode),
          std::pair("encode", &model.figures.encode)}) {
      family.metric.push_back(Labelled(model));
      family.metric.back().label.push_back({"stage", stage});
      family.metric.back().histogram = ToHistogram(*times);
    }
  }
  return family;
}

MetricFamily BatchRows(Models models) {
  MetricFamily family{
      "relu_batch_rows", "Rows of a batch.", MetricType::Histogram, {}};
  for (const LabelledFigures& model : models) {
    family.metric.push_back(Labelled(model));
    ClientMetric::Histogram& histogram = family.metric.back().histogram;
    histogram.sample_count = model.figures.batches;
    histogram.sample_sum = static_cast<double>(model.figures.rows);
    for (const std::int64_t bound : kRowBounds) {
      std::uint64_t cumulative = 0;
      for (const ModelFigures::BatchSize& size : model.figures.batch_sizes) {
        cumulative += size.rows <= bound ? size.infer.count : 0;
      }
      histogram.bucket.push_back({cumulative, static_cast<double>(bound)});
    }
  }
  return family;
}

void AddRequests(const ClientMetric& labelled, const StatusCounts& counts,
                 MetricFamily& family) {
  for (std::size_t code = 0; code < kStatusCodes; ++code) {
    family.metric.push_back(labelled);
    family.metric.back().label.push_back(
        {"code",
         absl::StatusCodeToString(static_cast<absl::StatusCode>(code))});
    family.metric.back().counter.value = static_cast<double>(counts[code]);
  }
}

MetricFamily Requests(Models models, const ModelFigures& without_model) {
  MetricFamily family{
      "relu_requests_total",
      "Finished inference requests, by model, version and status code. Both "
      "are empty for requests that reached no model.",
      MetricType::Counter,
      {}};
  AddRequests(Labelled({}), without_model.requests, family);
  for (const LabelledFigures& model : models) {
    AddRequests(Labelled(model), model.figures.requests, family);
  }
  return family;
}

void AddRejects(const ClientMetric& labelled, const RejectCounts& counts,
                MetricFamily& family) {
  for (std::size_t reason = 1; reason < kRejectReasons; ++reason) {
    family.metric.push_back(labelled);
    family.metric.back().label.push_back(
        {"reason",
         std::string(RejectReasonName(static_cast<RejectReason>(reason)))});
    family.metric.back().counter.value = static_cast<double>(counts[reason]);
  }
}

MetricFamily Rejects(Models models, const ModelFigures& without_model) {
  MetricFamily family{
      "relu_rejects_total",
      "Inference requests that were turned away or not waited for, by reason.",
      MetricType::Counter,
      {}};
  AddRejects(Labelled({}), without_model.rejects, family);
  for (const LabelledFigures& model : models) {
    AddRejects(Labelled(model), model.figures.rejects, family);
  }
  return family;
}

// Triton's word for why a request failed.
std::string_view TritonReason(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
      return "REJECTED";
    case absl::StatusCode::kCancelled:
      return "CANCELED";
    case absl::StatusCode::kInternal:
      return "BACKEND";
    default:
      return "OTHER";
  }
}

MetricFamily TritonFailures(Models models) {
  MetricFamily family{"nv_inference_request_failure",
                      "Failed inference requests, by reason",
                      MetricType::Counter,
                      {}};
  for (const LabelledFigures& model : models) {
    for (const std::string_view reason :
         {"REJECTED", "CANCELED", "BACKEND", "OTHER"}) {
      std::uint64_t count = 0;
      for (std::size_t code = 1; code < kStatusCodes; ++code) {
        count += TritonReason(static_cast<absl::StatusCode>(code)) == reason
                     ? model.figures.requests[code]
                     : 0;
      }
      family.metric.push_back(Labelled(model));
      family.metric.back().label.push_back({"reason", std::string(reason)});
      family.metric.back().counter.value = static_cast<double>(count);
    }
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> ModelFamilies(Models models,
                                        const ModelFigures& without_model) {
  using Figures = ModelFigures;
  return {
      Requests(models, without_model),
      Rejects(models, without_model),
      Counter("relu_rows_total", "Rows computed.", models,
              [](const Figures& figures) { return figures.rows; }),
      Counter("relu_batches_total",
              "Batches computed, each of one row or more.", models,
              [](const Figures& figures) { return figures.batches; }),
      BatchRows(models),
      Gauge("relu_queue_requests",
            "Requests that wait for an execution slot of the model.", models,
            [](const Figures& figures) { return figures.queued_requests; }),
      Gauge("relu_in_flight_requests",
            "Requests that have reached the model and are not answered yet.",
            models,
            [](const Figures& figures) { return figures.requests_in_flight; }),
      Histogram("relu_queue_seconds",
                "Time of a request from the queue to its first batch.", models,
                &Figures::queue),
      Histogram("relu_batch_formation_seconds",
                "Time to gather the rows of a batch.", models,
                &Figures::batch_input),
      Histogram("relu_compute_seconds", "Time to run the network on a batch.",
                models, &Figures::batch_infer),
      Histogram("relu_batch_scatter_seconds",
                "Time to scatter the results of a batch into answers.", models,
                &Figures::batch_output),
      CodecSeconds(models),
      Histogram("relu_request_seconds",
                "Time of a request from its arrival to its answer, which is "
                "then ready to be sent.",
                models, &Figures::request),
      Counter("relu_explanations_total",
              "Explanations given: for each row, one of each element.", models,
              [](const Figures& figures) { return figures.explanations; }),
      Histogram("relu_explain_seconds",
                "Time of a call of Explain, from its message to its answer.",
                models, &Figures::explain),
      Counter("relu_ranked_items_total",
              "Items of calls of Rank that were answered.", models,
              [](const Figures& figures) { return figures.ranked_items; }),
      Histogram("relu_rank_seconds",
                "Time of a call of Rank, from its arrival to its answer.",
                models, &Figures::rank)};
}

std::vector<MetricFamily> TritonFamilies(Models models) {
  using Figures = ModelFigures;
  return {
      Counter("nv_inference_request_success",
              "Successful inference requests of any number of rows", models,
              [](const Figures& figures) { return figures.requests[0]; }),
      TritonFailures(models),
      Counter("nv_inference_count", "Rows inferred", models,
              [](const Figures& figures) { return figures.answered_rows; }),
      Counter("nv_inference_exec_count", "Batches executed", models,
              [](const Figures& figures) { return figures.batches; }),
      Counter("nv_inference_request_duration_us",
              "Time of requests in microseconds", models,
              [](const Figures& figures) {
                return Microseconds(figures.request.total.sum);
              }),
      Counter("nv_inference_queue_duration_us",
              "Time of requests in the queue in microseconds", models,
              [](const Figures& figures) {
                return Microseconds(figures.queue.total.sum);
              }),
      Counter("nv_inference_compute_input_duration_us",
              "Time of requests to gather inputs in microseconds", models,
              [](const Figures& figures) {
                return Microseconds(figures.compute_input.sum);
              }),
      Counter("nv_inference_compute_infer_duration_us",
              "Time of requests in the network in microseconds", models,
              [](const Figures& figures) {
                return Microseconds(figures.compute_infer.sum);
              }),
      Counter("nv_inference_compute_output_duration_us",
              "Time of requests to scatter outputs in microseconds", models,
              [](const Figures& figures) {
                return Microseconds(figures.compute_output.sum);
              }),
      Gauge("nv_inference_pending_request_count",
            "Requests that wait for execution", models,
            [](const Figures& figures) { return figures.queued_requests; })};
}

}  // namespace relu
