// MetricsEndpoint: serves the metrics over HTTP at /metrics.

#ifndef SERVER_METRICS_ENDPOINT_H_
#define SERVER_METRICS_ENDPOINT_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "core/metrics/metrics.h"

struct mg_context;

namespace relu {

// Thread-compatible. Runs two threads of its own.
class MetricsEndpoint {
 public:
  // `port` 0: any free one. `metrics` outlives the endpoint. UNAVAILABLE if the
  // address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(
      std::string_view address, int port, const Metrics& metrics);

  // For Start(): takes over a running HTTP server.
  MetricsEndpoint(mg_context* context, std::string_view address, int port);

  // Ends the server, once no request is being answered.
  ~MetricsEndpoint();

  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  int port() const { return port_; }

 private:
  mg_context* const context_;  // Ours to stop.
  const std::string address_;
  const int port_;
};

}  // namespace relu

#endif  // SERVER_METRICS_ENDPOINT_H_
