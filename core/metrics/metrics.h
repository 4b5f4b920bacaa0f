// Metrics: every figure that the server exports, and where to find those of a
// model.

#ifndef CORE_METRICS_METRICS_H_
#define CORE_METRICS_METRICS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"

#include "core/base/mutex.h"
#include "core/metrics/model_metrics.h"
#include "core/metrics/reject_reason.h"

namespace prometheus {
class Registry;
}  // namespace prometheus

namespace relu {

class RepositoryMetrics;

struct MetricsOptions {
  std::string version = "0";  // The program's, for relu_build_info.
  // About as many as there are CPUs to count on: see ShardedCounters.
  std::size_t shards = 2;
  // Whether Text() has Triton's nv_* names too.
  bool triton_names = true;
};

// Thread-safe.
class Metrics {
 public:
  explicit Metrics(const MetricsOptions& options);
  explicit Metrics(std::string_view version)
      : Metrics(MetricsOptions{.version = std::string(version)}) {}
  ~Metrics();

  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The figures of a model; the same ones for the same name and version, as
  // long as somebody holds them and their batches are not smaller. Once nobody
  // does, they are no longer exported. Call it once, at load. Both names are
  // valid UTF-8.
  std::shared_ptr<ModelMetrics> ForModel(std::string_view model,
                                         std::string_view version,
                                         std::int64_t max_batch_rows)
      ABSL_LOCKS_EXCLUDED(mu_);

  RepositoryMetrics& repository();

  // Counts one finished request that reached no model, because there is none of
  // its name or version or it is not ready: in relu_requests_total and
  // relu_rejects_total, with an empty model label. A name that clients made up
  // never becomes a label.
  void CountRequestWithoutModel(absl::StatusCode code, RejectReason reason);

  // Counts, in relu_connections_refused_total, one connection to gRPC that was
  // closed because there were as many as may be.
  void CountRefusedConnection();

  // Counts, in relu_unread_answers_total, one call of gRPC that was ended
  // because its answer was on its way for too long.
  void CountUnreadAnswer();

  // Counts, in relu_explain_failures_total, one call of Explain that failed
  // with this code, which is not OK.
  void CountExplainFailure(absl::StatusCode code);

  // relu_in_flight_bytes: what requests in flight and their answers take, as
  // whoever knows it says.
  void SetInFlightBytes(std::size_t bytes);

  // `refresh` is called at the begin of each Text(), to set gauges that nobody
  // keeps up to date. For one thread, before the first Text().
  void OnCollect(std::function<void()> refresh);

  // All figures in the Prometheus text format (version 0.0.4), those of the
  // process as they are now.
  std::string Text() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Families;

  // Those that somebody still holds.
  std::vector<std::shared_ptr<ModelMetrics>> Models() const
      ABSL_LOCKS_EXCLUDED(mu_);

  const MetricsOptions options_;
  std::unique_ptr<prometheus::Registry> registry_;
  std::unique_ptr<Families> families_;
  std::unique_ptr<RepositoryMetrics> repository_;
  std::vector<std::function<void()>> refreshers_;

  mutable Mutex mu_;
  // By model and version.
  mutable std::map<std::pair<std::string, std::string>,
                   std::weak_ptr<ModelMetrics>>
      models_ ABSL_GUARDED_BY(mu_);
  std::array<std::atomic<std::uint64_t>, kStatusCodes> without_model_ = {};
  std::array<std::atomic<std::uint64_t>, kRejectReasons>
      rejects_without_model_ = {};
};

}  // namespace relu

#endif  // CORE_METRICS_METRICS_H_
