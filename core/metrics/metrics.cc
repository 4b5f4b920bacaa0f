#include "core/metrics/metrics.h"

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/labels.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace relu {
namespace {

// 1 us (a tiny network) to 10 s (a client that waits in an overload).
const prometheus::Histogram::BucketBoundaries kSeconds = {
    1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3,
    5e-3, 1e-2, 2e-2, 5e-2, 0.1,  0.2,  0.5,  1.0,  2.0,  5.0,  10.0};
const prometheus::Histogram::BucketBoundaries kRows = {
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

template <typename T>
using Family = prometheus::Family<T>;

Family<prometheus::Counter>& CounterFamily(prometheus::Registry& registry,
                                           const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<prometheus::Gauge>& GaugeFamily(prometheus::Registry& registry,
                                       const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

Family<prometheus::Histogram>& HistogramFamily(prometheus::Registry& registry,
                                               const char* name,
                                               const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

std::size_t CodeIndex(absl::StatusCode code) {
  const auto index = static_cast<std::size_t>(code);
  return index < kStatusCodes
             ? index
             : static_cast<std::size_t>(absl::StatusCode::kUnknown);
}

// Memory of this process that is in RAM, or 0 if the kernel does not say.
double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total_pages = 0;
  double resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

struct Metrics::Families {
  explicit Families(prometheus::Registry& registry);

  RequestCounters AddRequests(const std::string& model);

  Family<prometheus::Counter>& requests;
  Family<prometheus::Counter>& rows;
  Family<prometheus::Counter>& batches;
  Family<prometheus::Histogram>& batch_rows;
  Family<prometheus::Histogram>& queue_seconds;
  Family<prometheus::Histogram>& compute_seconds;
  Family<prometheus::Histogram>& request_seconds;
  Family<prometheus::Gauge>& model_ready;
  Family<prometheus::Gauge>& build_info;
  // The two below have the names that every Prometheus client library uses.
  prometheus::Gauge& start_time_seconds;
  prometheus::Gauge& resident_memory_bytes;
  RequestCounters requests_without_model;
};

Metrics::Families::Families(prometheus::Registry& registry)
    : requests(CounterFamily(
          registry, "relu_requests_total",
          "Finished inference requests, by model and status code. The model is "
          "empty for requests that reached none.")),
      rows(CounterFamily(registry, "relu_rows_total", "Rows computed.")),
      batches(CounterFamily(registry, "relu_batches_total",
                            "Batches computed, each of one row or more.")),
      batch_rows(
          HistogramFamily(registry, "relu_batch_rows", "Rows of a batch.")),
      queue_seconds(HistogramFamily(
          registry, "relu_queue_seconds",
          "Time of a request from its arrival to its first batch.")),
      compute_seconds(HistogramFamily(
          registry, "relu_compute_seconds",
          "Time of a batch: gather its rows, run the network, scatter.")),
      request_seconds(
          HistogramFamily(registry, "relu_request_seconds",
                          "Time of a request from its arrival to its answer.")),
      model_ready(GaugeFamily(registry, "relu_model_ready",
                              "1 if the model is served, 0 if it is not.")),
      build_info(GaugeFamily(registry, "relu_build_info",
                             "Always 1; the label is the server's version.")),
      start_time_seconds(
          GaugeFamily(registry, "process_start_time_seconds",
                      "Start of the process, in seconds since 1970 in UTC.")
              .Add({})),
      resident_memory_bytes(GaugeFamily(registry,
                                        "process_resident_memory_bytes",
                                        "Memory of the process that is in RAM.")
                                .Add({})),
      requests_without_model(AddRequests("")) {}

RequestCounters Metrics::Families::AddRequests(const std::string& model) {
  RequestCounters counters{};
  for (std::size_t code = 0; code < kStatusCodes; ++code) {
    counters[code] = &requests.Add(
        {{"model", model},
         {"code",
          absl::StatusCodeToString(static_cast<absl::StatusCode>(code))}});
  }
  return counters;
}

void ModelMetrics::CountRequest(absl::StatusCode code) const {
  requests[CodeIndex(code)]->Increment();
}

Metrics::Metrics(std::string_view version)
    : registry_(std::make_unique<prometheus::Registry>()),
      families_(std::make_unique<Families>(*registry_)) {
  families_->build_info.Add({{"version", std::string(version)}}).Set(1);
  const std::chrono::duration<double> now =
      std::chrono::system_clock::now().time_since_epoch();
  families_->start_time_seconds.Set(now.count());
}

Metrics::~Metrics() = default;

ModelMetrics Metrics::ForModel(std::string_view model,
                               std::string_view version) {
  const prometheus::Labels labels = {{"model", std::string(model)},
                                     {"version", std::string(version)}};
  return {.batches = &families_->batches.Add(labels),
          .rows = &families_->rows.Add(labels),
          .batch_rows = &families_->batch_rows.Add(labels, kRows),
          .compute_seconds = &families_->compute_seconds.Add(labels, kSeconds),
          .requests = families_->AddRequests(std::string(model)),
          .queue_seconds = &families_->queue_seconds.Add(labels, kSeconds),
          .request_seconds = &families_->request_seconds.Add(labels, kSeconds),
          .ready = &families_->model_ready.Add(labels)};
}

void Metrics::CountRequestWithoutModel(absl::StatusCode code) {
  families_->requests_without_model[CodeIndex(code)]->Increment();
}

std::string Metrics::Text() const {
  families_->resident_memory_bytes.Set(ResidentBytes());
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace relu
