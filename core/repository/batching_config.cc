#include "core/repository/batching_config.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/batching/batching_options.h"
#include "fmt/format.h"
#include "proto/model_config.pb.h"

namespace relu {
namespace {

using std::chrono::microseconds;

// More priorities only cost memory, and time to look through them.
constexpr std::uint64_t kMaxPriorityLevels = 256;
// A day: far beyond what makes sense, and nothing overflows.
constexpr std::uint64_t kMaxMicroseconds = 86'400'000'000;

absl::StatusOr<microseconds> ReadTime(std::string_view field,
                                      std::uint64_t value) {
  if (value > kMaxMicroseconds) {
    return absl::InvalidArgumentError(fmt::format(
        "{} is {}, the most is {} (a day)", field, value, kMaxMicroseconds));
  }
  return microseconds(value);
}

// `path` is what stands before the names of the fields.
absl::StatusOr<QueuePolicy> ReadPolicy(
    std::string_view path, const inference::ModelQueuePolicy& message) {
  QueuePolicy policy;
  switch (message.timeout_action()) {
    case inference::ModelQueuePolicy::REJECT:
      policy.timeout_action = QueuePolicy::TimeoutAction::kReject;
      break;
    case inference::ModelQueuePolicy::DELAY:
      policy.timeout_action = QueuePolicy::TimeoutAction::kDelay;
      break;
    default:
      return absl::InvalidArgumentError(
          fmt::format("{}.timeout_action is {}, wanted REJECT or DELAY", path,
                      static_cast<int>(message.timeout_action())));
  }
  ASSIGN_OR_RETURN(
      policy.default_timeout,
      ReadTime(fmt::format("{}.default_timeout_microseconds", path),
               message.default_timeout_microseconds()));
  policy.allow_timeout_override = message.allow_timeout_override();
  policy.max_queue_size = message.max_queue_size();
  return policy;
}

absl::Status ReadPreferredSizes(const inference::ModelDynamicBatching& message,
                                std::int64_t max_batch_size,
                                BatchingOptions& options) {
  for (const std::int32_t size : message.preferred_batch_size()) {
    if (size < 1) {
      return absl::InvalidArgumentError(fmt::format(
          "dynamic_batching.preferred_batch_size is {}, wanted 1 or more",
          size));
    }
    if (max_batch_size > 0 && size > max_batch_size) {
      return absl::InvalidArgumentError(
          fmt::format("dynamic_batching.preferred_batch_size is {}, wanted at "
                      "most max_batch_size, {}",
                      size, max_batch_size));
    }
    options.preferred_batch_size.push_back(size);
  }
  return absl::OkStatus();
}

absl::Status ReadPriorities(const inference::ModelDynamicBatching& message,
                            BatchingOptions& options) {
  const std::uint64_t levels = message.priority_levels();
  const std::uint64_t standard = message.default_priority_level();
  if (levels > kMaxPriorityLevels) {
    return absl::InvalidArgumentError(
        fmt::format("dynamic_batching.priority_levels is {}, the most is {}",
                    levels, kMaxPriorityLevels));
  }
  if (levels == 0) {
    if (standard != 0) {
      return absl::InvalidArgumentError(
          fmt::format("dynamic_batching.default_priority_level is {}, but "
                      "there are no priority_levels",
                      standard));
    }
  } else if (standard < 1 || standard > levels) {
    return absl::InvalidArgumentError(
        fmt::format("dynamic_batching.default_priority_level is {}, wanted 1 "
                    ".. {}, the priority_levels",
                    standard, levels));
  }
  options.priority_levels =
      static_cast<std::size_t>(std::max<std::uint64_t>(levels, 1));
  options.default_priority_level =
      static_cast<std::size_t>(std::max<std::uint64_t>(standard, 1));
  for (const auto& [level, policy] : message.priority_queue_policy()) {
    if (level < 1 || level > options.priority_levels) {
      return absl::InvalidArgumentError(
          fmt::format("dynamic_batching.priority_queue_policy has the key {}, "
                      "wanted 1 .. {}, the priority_levels",
                      level, options.priority_levels));
    }
    ASSIGN_OR_RETURN(
        options.priority_queue_policy[static_cast<std::size_t>(level)],
        ReadPolicy(
            fmt::format("dynamic_batching.priority_queue_policy[{}]", level),
            policy));
  }
  return absl::OkStatus();
}

// What would send answers out of order is not allowed with preserve_ordering.
absl::Status CheckOrdering(const BatchingOptions& options) {
  if (!options.preserve_ordering) {
    return absl::OkStatus();
  }
  if (options.priority_levels > 1) {
    return absl::InvalidArgumentError(
        fmt::format("dynamic_batching.priority_levels is {}: only one is "
                    "allowed with preserve_ordering",
                    options.priority_levels));
  }
  const auto delays = [](const QueuePolicy& policy) {
    return policy.timeout_action == QueuePolicy::TimeoutAction::kDelay;
  };
  bool any = delays(options.default_queue_policy);
  for (const auto& [level, policy] : options.priority_queue_policy) {
    any |= delays(policy);
  }
  if (any) {
    return absl::InvalidArgumentError(
        "dynamic_batching: timeout_action DELAY is not allowed with "
        "preserve_ordering");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BatchingOptions> ReadBatching(
    const inference::ModelDynamicBatching& message,
    std::int64_t max_batch_size) {
  BatchingOptions options;
  RETURN_IF_ERROR(ReadPreferredSizes(message, max_batch_size, options));
  ASSIGN_OR_RETURN(options.max_queue_delay,
                   ReadTime("dynamic_batching.max_queue_delay_microseconds",
                            message.max_queue_delay_microseconds()));
  options.preserve_ordering = message.preserve_ordering();
  if (message.has_default_queue_policy()) {
    ASSIGN_OR_RETURN(options.default_queue_policy,
                     ReadPolicy("dynamic_batching.default_queue_policy",
                                message.default_queue_policy()));
  }
  RETURN_IF_ERROR(ReadPriorities(message, options));
  RETURN_IF_ERROR(CheckOrdering(options));
  return options;
}

}  // namespace relu
