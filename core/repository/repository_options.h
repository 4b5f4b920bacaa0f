// RepositoryOptions: what the model repository is told at the start.

#ifndef CORE_REPOSITORY_REPOSITORY_OPTIONS_H_
#define CORE_REPOSITORY_REPOSITORY_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/batching/model_queue.h"
#include "core/repository/model_activity.h"

namespace relu {

class Dispatcher;
class ThreadTeam;

// Who says which models are served; the names are Triton's.
enum class ControlMode : std::uint8_t {
  kNone,      // What the folder holds at the start.
  kPoll,      // What the folder holds.
  kExplicit,  // What clients load and unload.
};

struct RepositoryOptions {
  std::filesystem::path folder = {};
  int slots = 1;  // Execution slots of each model.
  std::int64_t max_batch_rows = 64;
  // See ModelOptions.
  QueueLimits queue_limits = {};
  std::chrono::microseconds max_queue_time = SchedulerOptions().max_queue_time;
  // nullptr: the models share one of their own.
  std::shared_ptr<Dispatcher> dispatcher = nullptr;
  ThreadTeam* team = nullptr;  // Outlives the repository.

  ControlMode control = ControlMode::kNone;
  // kExplicit: what is loaded at the start; "*" is all that the folder holds.
  std::vector<std::string> load_at_start = {};
  // kPoll: the time between two looks at the folder. kExplicit: at the names.
  std::chrono::milliseconds poll_interval{15'000};
  // How long files must not have changed before they are loaded. 0: they are
  // taken to be complete.
  std::chrono::milliseconds settle_time{0};
  // See ActivityOptions.
  std::int64_t activity_sample_every = ActivityOptions::kChoose;
  // What all models together may take.
  std::size_t memory_budget_bytes = std::numeric_limits<std::size_t>::max();
  // What the files that come with one load may take.
  std::size_t max_override_bytes = std::size_t{256} << 20;
};

// One thing that happened to a version of a model, for the log.
struct RepositoryEvent {
  enum class Kind : std::uint8_t {
    kLoaded,
    kNotLoaded,  // `reason` says why.
    kUnloaded,   // All versions; `version` is 0.
    kNoLook,     // The folder cannot be read; `reason` says why.
  };

  Kind kind = Kind::kLoaded;
  std::string model;
  std::int64_t version = 0;
  std::chrono::steady_clock::duration took{};
  std::string reason;
  // kLoaded: what is proven of the model, if that was wanted; and whether it is
  // not what was wanted.
  std::string certificate = {};
  bool warns = false;
};

// Called by the loader thread, with no lock held.
struct RepositoryListener {
  std::function<void(const RepositoryEvent&)> on_event;
  // What ModelRepository::Index() says has changed.
  std::function<void()> on_change;
};

}  // namespace relu

#endif  // CORE_REPOSITORY_REPOSITORY_OPTIONS_H_
