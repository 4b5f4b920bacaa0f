#include "client/service_config.h"

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

// What may be sent twice: inference is a function of its request, the others
// only ask.
constexpr std::array<std::string_view, 9> kRepeatableMethods = {
    "ServerLive",     "ServerReady",     "ModelReady",
    "ServerMetadata", "ModelMetadata",   "ModelInfer",
    "ModelConfig",    "ModelStatistics", "RepositoryIndex"};

std::string DurationText(milliseconds duration) {
  return fmt::format(R"("{}.{:03}s")", duration.count() / 1000,
                     duration.count() % 1000);
}

std::string BalancingConfig(const BalancingOptions& options) {
  if (!options.round_robin) {
    return R"({"pick_first":{}})";
  }
  if (options.ejection_calls == 0) {
    return R"({"round_robin":{}})";
  }
  return fmt::format(
      R"({{"outlier_detection_experimental":{{"interval":{},)"
      R"("baseEjectionTime":{},"maxEjectionPercent":50,)"
      R"("failurePercentageEjection":{{"threshold":{},)"
      R"("enforcementPercentage":100,"minimumHosts":2,"requestVolume":{}}},)"
      R"("childPolicy":[{{"round_robin":{{}}}}]}}}})",
      DurationText(options.ejection_interval),
      DurationText(options.ejection_time), options.ejection_failed_percent,
      options.ejection_calls);
}

std::string RetryConfig(const RetryOptions& options) {
  std::vector<std::string> names;
  for (const std::string_view method : kRepeatableMethods) {
    names.push_back(fmt::format(
        R"({{"service":"inference.GRPCInferenceService","method":"{}"}})",
        method));
  }
  names.emplace_back(R"({"service":"grpc.health.v1.Health","method":"Check"})");
  const std::string attempt_timeout =
      options.attempt_timeout > milliseconds(0)
          ? fmt::format(R"("perAttemptRecvTimeout":{},)",
                        DurationText(options.attempt_timeout))
          : "";
  return fmt::format(
      R"("methodConfig":[{{"name":[{}],"retryPolicy":{{"maxAttempts":{},)"
      R"("initialBackoff":{},"maxBackoff":{},"backoffMultiplier":{},{})"
      R"("retryableStatusCodes":["UNAVAILABLE"]}}}}],)"
      R"("retryThrottling":{{"maxTokens":{},"tokenRatio":{:.3f}}},)",
      fmt::join(names, ","), options.max_attempts,
      DurationText(options.initial_backoff), DurationText(options.max_backoff),
      options.backoff_multiplier, attempt_timeout, options.budget_tokens,
      options.budget_ratio);
}

absl::Status OutOfRange(std::string_view option, std::string_view want) {
  return absl::InvalidArgumentError(
      fmt::format("{}: {} is wanted", option, want));
}

absl::Status CheckRetry(const RetryOptions& retry) {
  if (retry.max_attempts < 1 || retry.max_attempts > 5) {
    return OutOfRange("retry.max_attempts", "1 to 5");
  }
  if (retry.initial_backoff <= milliseconds(0) ||
      retry.max_backoff <= milliseconds(0)) {
    return OutOfRange("retry.initial_backoff, retry.max_backoff",
                      "more than 0 ms");
  }
  if (!(retry.backoff_multiplier > 0 && retry.backoff_multiplier <= 1000)) {
    return OutOfRange("retry.backoff_multiplier", "more than 0, up to 1000");
  }
  if (retry.attempt_timeout < milliseconds(0)) {
    return OutOfRange("retry.attempt_timeout", "0 ms or more");
  }
  if (retry.budget_tokens < 1 || retry.budget_tokens > 1000) {
    return OutOfRange("retry.budget_tokens", "1 to 1000");
  }
  if (!(retry.budget_ratio >= 0.001 && retry.budget_ratio <= 1000)) {
    return OutOfRange("retry.budget_ratio", "0.001 to 1000");
  }
  return absl::OkStatus();
}

absl::Status CheckBalancing(const BalancingOptions& balancing) {
  if (balancing.ejection_calls < 0) {
    return OutOfRange("balancing.ejection_calls", "0 or more");
  }
  if (balancing.ejection_failed_percent < 0 ||
      balancing.ejection_failed_percent > 100) {
    return OutOfRange("balancing.ejection_failed_percent", "0 to 100");
  }
  if (balancing.ejection_interval <= milliseconds(0) ||
      balancing.ejection_time <= milliseconds(0)) {
    return OutOfRange("balancing.ejection_interval, balancing.ejection_time",
                      "more than 0 ms");
  }
  return absl::OkStatus();
}

}  // namespace

std::string ServiceConfig(const ClientOptions& options, bool retries) {
  return fmt::format(R"({{{}{}"loadBalancingConfig":[{}]}})",
                     retries && options.retry.max_attempts > 1
                         ? RetryConfig(options.retry)
                         : "",
                     ChecksHealth(options.balancing)
                         ? R"("healthCheckConfig":{"serviceName":""},)"
                         : "",
                     BalancingConfig(options.balancing));
}

bool ChecksHealth(const BalancingOptions& options) {
  return options.round_robin && options.health_checks;
}

absl::Status CheckServiceConfig(const ClientOptions& options) {
  if (absl::Status status = CheckRetry(options.retry); !status.ok()) {
    return status;
  }
  if (options.hedging.max_attempts < 1 || options.hedging.max_attempts > 5) {
    return OutOfRange("hedging.max_attempts", "1 to 5");
  }
  if (options.hedging.delay < milliseconds(0)) {
    return OutOfRange("hedging.delay", "0 ms or more");
  }
  return CheckBalancing(options.balancing);
}

}  // namespace relu
