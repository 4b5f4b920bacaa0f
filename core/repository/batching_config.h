// ReadBatching: what `dynamic_batching` of a config.pbtxt says.

#ifndef CORE_REPOSITORY_BATCHING_CONFIG_H_
#define CORE_REPOSITORY_BATCHING_CONFIG_H_

#include <cstdint>

#include "absl/status/statusor.h"

#include "core/batching/batching_options.h"

namespace inference {
class ModelDynamicBatching;
}  // namespace inference

namespace relu {

// All fields have the meaning that Triton gives them. Two differences, where
// `message` says nothing: a model without a default_queue_policy honours the
// timeouts of its requests, and queues are bounded by the server's limits.
// `max_batch_size` is that of the model; 0: none. INVALID_ARGUMENT, naming the
// field, what was found and what was wanted.
absl::StatusOr<BatchingOptions> ReadBatching(
    const inference::ModelDynamicBatching& message,
    std::int64_t max_batch_size);

}  // namespace relu

#endif  // CORE_REPOSITORY_BATCHING_CONFIG_H_
