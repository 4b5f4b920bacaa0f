// Metrics: every figure that the server exports, in one struct, with its unit
// and its help.

#ifndef CORE_METRICS_METRICS_H_
#define CORE_METRICS_METRICS_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace relu {

// The canonical status codes, OK to UNAUTHENTICATED, are 0 .. 16.
inline constexpr std::size_t kStatusCodes = 17;

// One counter for each status code. The pointers belong to Metrics.
using RequestCounters = std::array<prometheus::Counter*, kStatusCodes>;

// The figures of one version of one model; labels model and version.
// Thread-safe. The pointers belong to Metrics. Model observes the figures of
// batches; who completes a request observes those of requests.
struct ModelMetrics {
  // --- Of batches ---
  prometheus::Counter* batches = nullptr;            // relu_batches_total
  prometheus::Counter* rows = nullptr;               // relu_rows_total
  prometheus::Histogram* batch_rows = nullptr;       // relu_batch_rows
  prometheus::Histogram* compute_seconds = nullptr;  // relu_compute_seconds

  // --- Of requests ---
  // relu_requests_total, by status code; labels model and code.
  RequestCounters requests = {};
  prometheus::Histogram* queue_seconds = nullptr;    // relu_queue_seconds
  prometheus::Histogram* request_seconds = nullptr;  // relu_request_seconds

  // 1: the model is served, 0: it is not.
  prometheus::Gauge* ready = nullptr;  // relu_model_ready

  // Counts one finished request: one atomic addition.
  void CountRequest(absl::StatusCode code) const;
};

// Thread-safe.
class Metrics {
 public:
  // `version` is the program's, for relu_build_info.
  explicit Metrics(std::string_view version);
  ~Metrics();

  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The figures of a model; the same pointers for the same name and version.
  // Looks them up: call it once, at load. Both are valid UTF-8.
  ModelMetrics ForModel(std::string_view model, std::string_view version);

  // Counts one finished request that reached no model, because there is none of
  // its name or version or it is not ready: in relu_requests_total, with an
  // empty model label. A name that clients made up never becomes a label.
  void CountRequestWithoutModel(absl::StatusCode code);

  // All figures in the Prometheus text format (version 0.0.4), those of the
  // process as they are now.
  std::string Text() const;

 private:
  struct Families;

  std::unique_ptr<prometheus::Registry> registry_;
  std::unique_ptr<Families> families_;
};

}  // namespace relu

#endif  // CORE_METRICS_METRICS_H_
