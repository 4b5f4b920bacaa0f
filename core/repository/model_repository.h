// ModelRepository: the folder of models that the server serves.

#ifndef CORE_REPOSITORY_MODEL_REPOSITORY_H_
#define CORE_REPOSITORY_MODEL_REPOSITORY_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "core/batching/model_queue.h"
#include "core/metrics/metrics.h"
#include "core/repository/model.h"

namespace relu {

class Dispatcher;
class ThreadTeam;

struct RepositoryOptions {
  std::filesystem::path folder;
  int slots = 1;  // Execution slots of each model.
  std::int64_t max_batch_rows = 64;
  // See ModelOptions.
  QueueLimits queue_limits = {};
  std::chrono::microseconds max_queue_time = SchedulerOptions().max_queue_time;
  // nullptr: the models share one of their own.
  std::shared_ptr<Dispatcher> dispatcher = nullptr;
  ThreadTeam* team = nullptr;  // Outlives the repository.
};

// The state of one model, for people and for the index RPC.
struct ModelState {
  std::string name;
  std::int64_t version = 0;  // 0: no version could be found.
  bool ready = false;
  std::string reason;  // Why it is not ready; empty if it is.
};

// Layouts (as Triton's, plus the single file):
//
//   FOLDER/<model>/<version>/model.onnx   the highest version is served
//   FOLDER/<model>/config.pbtxt           optional: core/repository/
//                                         model_config.h
//   FOLDER/<model>.onnx                   version 1, without a configuration
//
// A version is a positive integer without leading zeros. Entries whose name
// begins with a dot, other files, and folders in a model that are no version
// are ignored. A model's name is at most 256 bytes of UTF-8. Links are followed
// as long as they stay inside FOLDER.
//
// Immutable after Load(), so thread-safe.
class ModelRepository {
 public:
  // Loads the latest version of every model. A model that cannot be loaded is
  // kept with its reason and does not stop the others. Errors: NOT_FOUND or
  // INVALID_ARGUMENT if the folder itself cannot be read.
  static absl::StatusOr<std::unique_ptr<ModelRepository>> Load(
      const RepositoryOptions& options, Metrics& metrics);

  // The model to serve a request. `version` is empty for the latest. Errors:
  //   INVALID_ARGUMENT  the version is not a positive integer
  //   NOT_FOUND         no model of this name, or not in this version
  //   UNAVAILABLE       the model is known but could not be loaded
  absl::StatusOr<std::shared_ptr<Model>> Find(std::string_view name,
                                              std::string_view version) const;

  // Every model that the folder names, by name.
  std::vector<ModelState> Index() const;

  // Shares the threads among the models.
  Dispatcher& dispatcher() const { return *dispatcher_; }

  // True if every model of the folder is ready.
  bool ready() const;

  // Refuses new requests and waits for those accepted, for every model.
  void Drain();

 private:
  struct Entry {
    ModelState state;
    std::shared_ptr<Model> model;  // Null if it is not ready.
  };

  std::shared_ptr<Dispatcher> dispatcher_;
  std::map<std::string, Entry, std::less<>> entries_;  // By model name.
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_REPOSITORY_H_
