// Model: one loaded version of a model, ready to serve.

#ifndef CORE_REPOSITORY_MODEL_H_
#define CORE_REPOSITORY_MODEL_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/batching/batch_runner.h"
#include "core/batching/inference_request.h"
#include "core/batching/model_queue.h"
#include "core/batching/scheduler.h"
#include "core/metrics/metrics.h"
#include "core/metrics/model_metrics.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/input_domain.h"
#include "core/relu/overflow_certificate.h"
#include "core/repository/class_labels.h"
#include "core/repository/model_activity.h"
#include "core/repository/model_config.h"
#include "core/repository/model_explainers.h"
#include "core/repository/model_guarantees.h"

namespace relu {

class Dispatcher;
class DenseCostCache;
class ThreadTeam;

struct ModelOptions {
  std::string name = {};  // Valid UTF-8.
  std::int64_t version = 1;
  std::filesystem::path file = {};  // The ONNX file.
  ModelConfig config = {};          // What config.pbtxt says.
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
  // Of the networks that were measured before; nullptr: none. Load() uses it.
  DenseCostCache* costs = nullptr;
  // Where the files that config.pbtxt names by label_filename are, and those of
  // model_warmup.
  std::filesystem::path folder = {};
  std::filesystem::path warmup_folder = {};
  // See ActivityOptions; what the config says goes before.
  std::int64_t activity_sample_every = ActivityOptions::kChoose;
  // What the model may take at most.
  std::size_t memory_limit_bytes = std::numeric_limits<std::size_t>::max();
};

// Thread-safe. Holds the weights, the workspaces and the scheduler. Its end
// must not come from within a `done` of its own scheduler, nor while another
// thread runs one: who publishes it sees to that.
class Model {
  // What Load() makes of the file.
  struct Parts {
    CompiledModel compiled;
    std::vector<ClassLabels> labels;  // By output.
    InputDomain domain;
    std::optional<OverflowCertificate> certificate;
    std::optional<ActivityBaseline> baseline = std::nullopt;
  };
  // Keeps the constructor for Load(), although std::make_unique calls it.
  struct ForLoad {
    explicit ForLoad() = default;
  };

 public:
  // Imports, compiles, self-checks, compares with the config and warms up.
  // Errors: those of ImportOnnx, CompiledModel::Compile, SelfCheck,
  // CheckTensors, ReadClassLabels, InputDomain::Create and CheckWithin,
  // BoxOfMetadata, ReadActivityFile and MakeWarmupRequest, RESOURCE_EXHAUSTED
  // beyond memory_limit_bytes, and FAILED_PRECONDITION without the overflow
  // certificate that the config wants; with the model's name and the file's
  // path in front.
  static absl::StatusOr<std::unique_ptr<Model>> Load(ModelOptions options,
                                                     Metrics& metrics);

  Model(ForLoad, const ModelOptions& options, Parts parts,
        std::shared_ptr<ModelMetrics> metrics);
  ~Model();
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
  const ModelConfig& config() const { return options_.config; }
  const CompiledModel& compiled() const { return compiled_; }
  // Of the output of this number among those of compiled().
  const ClassLabels& class_labels(std::size_t output) const {
    return labels_[output];
  }
  // Memory that it takes: packed weights, and rows in every slot.
  std::size_t bytes() const;
  ModelMetrics& metrics() const { return *metrics_; }
  ModelExplainers& explainers() { return explainers_; }
  const ModelGuarantees& guarantees() const { return guarantees_; }
  ModelActivity& activity() const { return *activity_; }
  Scheduler& scheduler() { return scheduler_; }

 private:
  // Gives the config the domain that the file brings with it, if it has none.
  static absl::StatusOr<Parts> Compile(ModelOptions& options);

  // Runs a batch and observes its figures.
  void Run(int slot, std::span<BatchSlice> batch);

  // Whether a batch of so many rows is worth a team, and nothing else waits for
  // the CPUs.
  bool MayShare(std::int64_t rows) const;

  // Runs rows through every slot, one of them and a full batch, so that the
  // first request finds code, weights and workspaces in memory; tells the
  // scheduler what batches take; and then runs what the config asks for.
  absl::Status WarmUp();
  // Tells the scheduler what batches of the rows of `request` take.
  void MeasureCost(InferenceRequest& request);
  // The same request on every slot. That it may have no answer does not matter.
  void RunOnEverySlot(InferenceRequest& request, std::int64_t rows);

  const ModelOptions options_;
  const SchedulerOptions scheduling_;
  const CompiledModel compiled_;
  const std::vector<ClassLabels> labels_;  // By output.
  const std::shared_ptr<ModelMetrics> metrics_;
  ModelExplainers explainers_;
  const ModelGuarantees guarantees_;
  const std::shared_ptr<ModelActivity> activity_;
  BatchRunner runner_;
  const std::shared_ptr<Dispatcher> dispatcher_;
  Scheduler scheduler_;
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_H_
