#include "core/metrics/metrics.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/metric_family.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

#include "core/base/mutex.h"
#include "core/metrics/activity_families.h"
#include "core/metrics/guarantee_families.h"
#include "core/metrics/model_families.h"
#include "core/metrics/model_metrics.h"
#include "core/metrics/process_families.h"
#include "core/metrics/reject_reason.h"
#include "core/metrics/repository_metrics.h"

namespace relu {
namespace {

template <typename T>
using Family = prometheus::Family<T>;
using FamilyList = std::vector<prometheus::MetricFamily>;

Family<prometheus::Gauge>& GaugeFamily(prometheus::Registry& registry,
                                       const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

void Append(FamilyList families, FamilyList& all) {
  all.insert(all.end(), std::make_move_iterator(families.begin()),
             std::make_move_iterator(families.end()));
}

}  // namespace

// What is not counted where requests are served.
struct Metrics::Families {
  explicit Families(prometheus::Registry& registry)
      : build_info(GaugeFamily(registry, "relu_build_info",
                               "Always 1; the label is the server's version.")),
        start_time_seconds(
            GaugeFamily(registry, "process_start_time_seconds",
                        "Start of the process, in seconds since 1970 in UTC.")
                .Add({})),
        in_flight_bytes(
            GaugeFamily(registry, "relu_in_flight_bytes",
                        "What requests in flight and their answers take.")
                .Add({})),
        connections_refused(
            prometheus::BuildCounter()
                .Name("relu_connections_refused_total")
                .Help("Connections to gRPC that were closed at once, because "
                      "there were as many as may be.")
                .Register(registry)
                .Add({})),
        unread_answers(
            prometheus::BuildCounter()
                .Name("relu_unread_answers_total")
                .Help("Calls over gRPC that were ended because the answer "
                      "was on its way to the client for too long.")
                .Register(registry)
                .Add({})) {
    auto& failures = prometheus::BuildCounter()
                         .Name("relu_explain_failures_total")
                         .Help("Calls of Explain that were taken, and failed.")
                         .Register(registry);
    // From 1 on: 0 is OK.
    for (std::size_t code = 1; code < kStatusCodes; ++code) {
      explain_failures[code] = &failures.Add(
          {{"code",
            absl::StatusCodeToString(static_cast<absl::StatusCode>(code))}});
    }
  }

  Family<prometheus::Gauge>& build_info;
  prometheus::Gauge& start_time_seconds;
  prometheus::Gauge& in_flight_bytes;
  prometheus::Counter& connections_refused;
  prometheus::Counter& unread_answers;
  std::array<prometheus::Counter*, kStatusCodes> explain_failures = {};
};

Metrics::Metrics(const MetricsOptions& options)
    : options_(options),
      registry_(std::make_unique<prometheus::Registry>()),
      families_(std::make_unique<Families>(*registry_)),
      repository_(std::make_unique<RepositoryMetrics>(*registry_)) {
  families_->build_info.Add({{"version", options.version}}).Set(1);
  const std::chrono::duration<double> now =
      std::chrono::system_clock::now().time_since_epoch();
  families_->start_time_seconds.Set(now.count());
}

Metrics::~Metrics() = default;

std::shared_ptr<ModelMetrics> Metrics::ForModel(std::string_view model,
                                                std::string_view version,
                                                std::int64_t max_batch_rows) {
  const MutexLock lock(mu_);
  std::weak_ptr<ModelMetrics>& known =
      models_[{std::string(model), std::string(version)}];
  std::shared_ptr<ModelMetrics> metrics = known.lock();
  if (metrics == nullptr || metrics->max_batch_rows() < max_batch_rows) {
    metrics =
        std::make_shared<ModelMetrics>(std::string(model), std::string(version),
                                       max_batch_rows, options_.shards);
    known = metrics;
  }
  return metrics;
}

RepositoryMetrics& Metrics::repository() { return *repository_; }

void Metrics::CountRequestWithoutModel(absl::StatusCode code,
                                       RejectReason reason) {
  // Counts are only looked at: nothing is published through them.
  without_model_[StatusIndex(code)].fetch_add(1, std::memory_order_relaxed);
  rejects_without_model_[static_cast<std::size_t>(reason)].fetch_add(
      1, std::memory_order_relaxed);
}

void Metrics::CountRefusedConnection() {
  families_->connections_refused.Increment();
}

void Metrics::CountUnreadAnswer() { families_->unread_answers.Increment(); }

void Metrics::CountExplainFailure(absl::StatusCode code) {
  families_->explain_failures[StatusIndex(code)]->Increment();
}

void Metrics::SetInFlightBytes(std::size_t bytes) {
  families_->in_flight_bytes.Set(static_cast<double>(bytes));
}

void Metrics::OnCollect(std::function<void()> refresh) {
  refreshers_.push_back(std::move(refresh));
}

std::vector<std::shared_ptr<ModelMetrics>> Metrics::Models() const {
  std::vector<std::shared_ptr<ModelMetrics>> models;
  const MutexLock lock(mu_);
  for (auto known = models_.begin(); known != models_.end();) {
    if (auto metrics = known->second.lock(); metrics != nullptr) {
      models.push_back(std::move(metrics));
      ++known;
    } else {
      known = models_.erase(known);
    }
  }
  return models;
}

std::string Metrics::Text() const {
  for (const auto& refresh : refreshers_) {
    refresh();
  }
  std::vector<LabelledFigures> models;
  for (const auto& model : Models()) {
    models.push_back({model->model(), model->version(), model->Read()});
  }
  ModelFigures without_model;
  for (std::size_t code = 0; code < kStatusCodes; ++code) {
    without_model.requests[code] =
        without_model_[code].load(std::memory_order_relaxed);
  }
  for (std::size_t reason = 0; reason < kRejectReasons; ++reason) {
    without_model.rejects[reason] =
        rejects_without_model_[reason].load(std::memory_order_relaxed);
  }
  FamilyList families = ModelFamilies(models, without_model);
  Append(GuaranteeFamilies(models), families);
  Append(ActivityFamilies(models), families);
  if (options_.triton_names) {
    Append(TritonFamilies(models), families);
  }
  Append(registry_->Collect(), families);
  Append(ProcessFamilies(), families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace relu
