// BatchingOptions: what `dynamic_batching` of a model's config.pbtxt says, with
// the names and the meaning that Triton gives them.

#ifndef CORE_BATCHING_BATCHING_OPTIONS_H_
#define CORE_BATCHING_BATCHING_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace relu {

// How requests of one priority wait.
struct QueuePolicy {
  enum class TimeoutAction {
    kReject,  // A request whose time is over is answered with an error.
    kDelay,   // It gives way to those whose time is not, and runs after them.
  };

  TimeoutAction timeout_action = TimeoutAction::kReject;
  // How long a request may wait; 0: as long as its client does.
  std::chrono::microseconds default_timeout{0};
  // Whether the parameter `timeout` of a request may shorten that.
  bool allow_timeout_override = true;
  // Requests that may wait; 0: the server's default.
  std::size_t max_queue_size = 0;
};

struct BatchingOptions {
  // Rows of a batch to prefer, ascending; empty: by measured cost.
  std::vector<std::int64_t> preferred_batch_size = {};
  // How long a request may wait for company while nothing else keeps it.
  std::chrono::microseconds max_queue_delay{0};
  // Answers leave in the order in which the requests came.
  bool preserve_ordering = false;
  // Priorities 1 (first) .. priority_levels.
  std::size_t priority_levels = 1;
  // Of a request that asks for none, or for one that there is not.
  std::size_t default_priority_level = 1;
  QueuePolicy default_queue_policy = {};
  // By priority, where it differs.
  std::map<std::size_t, QueuePolicy> priority_queue_policy = {};
};

}  // namespace relu

#endif  // CORE_BATCHING_BATCHING_OPTIONS_H_
