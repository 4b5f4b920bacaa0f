// Model: one loaded version of a model, ready to serve.

#ifndef CORE_REPOSITORY_MODEL_H_
#define CORE_REPOSITORY_MODEL_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"

#include "core/batching/batch_runner.h"
#include "core/batching/inference_request.h"
#include "core/batching/model_queue.h"
#include "core/batching/scheduler.h"
#include "core/metrics/metrics.h"
#include "core/metrics/model_metrics.h"
#include "core/plan/compiled_model.h"
#include "core/repository/model_config.h"

namespace relu {

class Dispatcher;
class ThreadTeam;

struct ModelOptions {
  std::string name;  // Valid UTF-8.
  std::int64_t version = 1;
  std::filesystem::path file;  // The ONNX file.
  ModelConfig config;          // What config.pbtxt says.
  // The server's defaults, where the config does not say.
  int slots = 1;
  std::int64_t max_batch_rows = 64;
  QueueLimits queue_limits = {};
  std::chrono::microseconds max_queue_time = SchedulerOptions().max_queue_time;
  // Shares the threads of the server among models; nullptr: the model has one
  // of its own.
  std::shared_ptr<Dispatcher> dispatcher = nullptr;
  // Threads that large batches may be shared among, where nothing else is to be
  // done. Outlives the model; nullptr: none.
  ThreadTeam* team = nullptr;
};

// Thread-safe. Holds the weights, the workspaces and the scheduler; published
// by shared_ptr, and gone when its last request ends. The last pointer must not
// go from within a `done` of its own scheduler.
class Model {
  // Keeps the constructor for Load(), although std::make_shared calls it.
  struct ForLoad {
    explicit ForLoad() = default;
  };

 public:
  // Imports, compiles, self-checks, compares with the config and warms up.
  // Errors: those of ImportOnnx, CompiledModel::Compile, SelfCheck and
  // CheckTensors, with the model's name and the file's path in front.
  static absl::StatusOr<std::shared_ptr<Model>> Load(
      const ModelOptions& options, Metrics& metrics);

  Model(ForLoad, const ModelOptions& options, CompiledModel compiled,
        std::shared_ptr<ModelMetrics> metrics);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const std::string& name() const { return options_.name; }
  std::int64_t version() const { return options_.version; }
  // Rows that one request may have at most; 0: no limit (requests larger than
  // a batch are split, unless rows depend on each other).
  std::int64_t max_request_rows() const {
    return compiled_.couples_rows() ? scheduling_.max_batch_rows
                                    : options_.config.max_batch_size;
  }
  // Rows of one batch, and batches at the same time.
  std::int64_t max_batch_rows() const { return scheduling_.max_batch_rows; }
  int slots() const { return scheduling_.slots; }
  const CompiledModel& compiled() const { return compiled_; }
  ModelMetrics& metrics() const { return *metrics_; }
  Scheduler& scheduler() { return scheduler_; }

 private:
  // Runs a batch and observes its figures.
  void Run(int slot, std::span<BatchSlice> batch);

  // Whether a batch of so many rows is worth a team, and nothing else waits for
  // the CPUs.
  bool MayShare(std::int64_t rows) const;

  // Runs rows through every slot, one of them and a full batch, so that the
  // first request finds code, weights and workspaces in memory; and tells the
  // scheduler what batches take.
  void WarmUp();

  const ModelOptions options_;
  const SchedulerOptions scheduling_;
  const CompiledModel compiled_;
  const std::shared_ptr<ModelMetrics> metrics_;
  BatchRunner runner_;
  const std::shared_ptr<Dispatcher> dispatcher_;
  Scheduler scheduler_;
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_H_
