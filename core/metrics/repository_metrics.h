// RepositoryMetrics: the figures of the model repository: what is served, what
// it takes, and how loads went.

#ifndef CORE_METRICS_REPOSITORY_METRICS_H_
#define CORE_METRICS_REPOSITORY_METRICS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "prometheus/family.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace relu {

// Thread-safe. Names of models are valid UTF-8.
class RepositoryMetrics {
 public:
  // `registry` outlives this object.
  explicit RepositoryMetrics(prometheus::Registry& registry);

  // relu_model_ready: 1 if the version is served, 0 if it could not be loaded.
  // relu_model_memory_bytes: what it takes; 0 if it is not served.
  void SetVersion(const std::string& model, std::int64_t version, bool ready,
                  std::size_t bytes);
  // Neither is exported any more.
  void ForgetVersion(const std::string& model, std::int64_t version);

  // relu_model_load_seconds; if it failed, relu_model_load_failures_total, too.
  void CountLoad(const std::string& model, std::chrono::duration<double> took,
                 bool ok);

 private:
  prometheus::Family<prometheus::Gauge>& ready_;
  prometheus::Family<prometheus::Gauge>& memory_bytes_;
  prometheus::Family<prometheus::Histogram>& load_seconds_;
  prometheus::Family<prometheus::Counter>& load_failures_;
};

}  // namespace relu

#endif  // CORE_METRICS_REPOSITORY_METRICS_H_
