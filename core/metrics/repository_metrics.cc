#include "core/metrics/repository_metrics.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/labels.h"
#include "prometheus/registry.h"

namespace relu {
namespace {

// A tiny network takes a millisecond, gigabytes from a slow disk minutes.
const prometheus::Histogram::BucketBoundaries kLoadSeconds = {
    1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2,
    0.5,  1.0,  2.0,  5.0,  10.0, 30.0, 60.0};

prometheus::Labels VersionLabel(const std::string& model,
                                std::int64_t version) {
  return {{"model", model}, {"version", std::to_string(version)}};
}

}  // namespace

RepositoryMetrics::RepositoryMetrics(prometheus::Registry& registry)
    : ready_(prometheus::BuildGauge()
                 .Name("relu_model_ready")
                 .Help("1 if the version is served, 0 if it is not.")
                 .Register(registry)),
      memory_bytes_(
          prometheus::BuildGauge()
              .Name("relu_model_memory_bytes")
              .Help("Memory of a served version: weights and workspaces.")
              .Register(registry)),
      load_seconds_(
          prometheus::BuildHistogram()
              .Name("relu_model_load_seconds")
              .Help("Time of one load of one version, good or failed: read, "
                    "compile, self-check, warm up.")
              .Register(registry)),
      load_failures_(
          prometheus::BuildCounter()
              .Name("relu_model_load_failures_total")
              .Help("Loads that failed. What was served before goes on.")
              .Register(registry)) {}

void RepositoryMetrics::SetVersion(const std::string& model,
                                   std::int64_t version, bool ready,
                                   std::size_t bytes) {
  const prometheus::Labels labels = VersionLabel(model, version);
  ready_.Add(labels).Set(ready ? 1 : 0);
  memory_bytes_.Add(labels).Set(static_cast<double>(bytes));
}

void RepositoryMetrics::ForgetVersion(const std::string& model,
                                      std::int64_t version) {
  const prometheus::Labels labels = VersionLabel(model, version);
  ready_.Remove(&ready_.Add(labels));
  memory_bytes_.Remove(&memory_bytes_.Add(labels));
}

void RepositoryMetrics::CountLoad(const std::string& model,
                                  std::chrono::duration<double> took, bool ok) {
  const prometheus::Labels labels = {{"model", model}};
  load_seconds_.Add(labels, kLoadSeconds).Observe(took.count());
  load_failures_.Add(labels).Increment(ok ? 0 : 1);
}

}  // namespace relu
