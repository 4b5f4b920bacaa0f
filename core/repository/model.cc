#include "core/repository/model.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/base/thread_team.h"
#include "core/batching/batch_runner.h"
#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/metrics/metrics.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
#include "core/repository/model_config.h"
#include "fmt/format.h"

namespace relu {
namespace {

SchedulerOptions Scheduling(const ModelOptions& options,
                            const CompiledModel& compiled) {
  SchedulerOptions scheduling{.slots = options.slots,
                              .max_batch_rows = options.max_batch_rows};
  const ModelConfig& config = options.config;
  if (config.slots > 0) {
    scheduling.slots = config.slots;
  }
  if (config.max_batch_size > 0) {
    scheduling.max_batch_rows =
        std::min(scheduling.max_batch_rows, config.max_batch_size);
  }
  if (config.max_queue_requests > 0) {
    scheduling.max_queue_requests = config.max_queue_requests;
  }
  scheduling.keeps_requests_whole = compiled.couples_rows();
  if (!compiled.has_batch_dim()) {
    scheduling.max_batch_rows = 1;
  }
  return scheduling;
}

// The graph is gone afterwards: it holds a second copy of the weights.
absl::StatusOr<CompiledModel> Compile(const ModelOptions& options) {
  ASSIGN_OR_RETURN(const Graph graph, ImportOnnx(options.file));
  ASSIGN_OR_RETURN(CompiledModel compiled,
                   CompiledModel::Compile(graph, options.config.compile));
  RETURN_IF_ERROR(SelfCheck(graph, compiled));
  RETURN_IF_ERROR(CheckTensors(options.config, compiled));
  return compiled;
}

// 'model "m": /models/m/1/model.onnx: ' in front of the message; the file once,
// since errors from reading it name it already.
absl::Status WithNames(const ModelOptions& options,
                       const absl::Status& status) {
  const std::string file = options.file.string() + ": ";
  const bool named = std::string(status.message()).starts_with(file);
  return WithPrefix(
      fmt::format("model \"{}\": {}", options.name, named ? "" : file), status);
}

}  // namespace

absl::StatusOr<std::shared_ptr<Model>> Model::Load(const ModelOptions& options,
                                                   Metrics& metrics) {
  absl::StatusOr<CompiledModel> compiled = Compile(options);
  if (!compiled.ok()) {
    return WithNames(options, compiled.status());
  }
  auto model = std::make_shared<Model>(
      ForLoad(), options, *std::move(compiled),
      metrics.ForModel(options.name, fmt::format("{}", options.version)));
  model->WarmUp();
  return model;
}

Model::Model(ForLoad, const ModelOptions& options, CompiledModel compiled,
             const ModelMetrics& metrics)
    : options_(options),
      scheduling_(Scheduling(options, compiled)),
      compiled_(std::move(compiled)),
      metrics_(metrics),
      runner_(compiled_, scheduling_.slots, scheduling_.max_batch_rows,
              options.team == nullptr ? 1 : options.team->size()),
      scheduler_(scheduling_, [this](int slot, std::span<BatchSlice> batch) {
        Run(slot, batch);
      }) {}

void Model::Run(int slot, std::span<BatchSlice> batch) {
  std::int64_t rows = 0;
  for (const BatchSlice& slice : batch) {
    rows += slice.rows;
  }
  const auto start = std::chrono::steady_clock::now();
  {
    const TeamLease lease =
        MayShare(rows) ? TeamLease(*options_.team) : TeamLease();
    runner_.Run(slot, batch, lease.team());
  }
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  metrics_.batches->Increment();
  metrics_.rows->Increment(static_cast<double>(rows));
  metrics_.batch_rows->Observe(static_cast<double>(rows));
  metrics_.compute_seconds->Observe(seconds.count());
}

bool Model::MayShare(std::int64_t rows) const {
  // Multiply-adds of 100 us or so: less is not worth a second CPU, which looks
  // for work for a while afterwards.
  constexpr std::size_t kLeastWork = 2'000'000;
  return options_.team != nullptr &&
         compiled_.multiply_adds() * static_cast<std::size_t>(rows) >=
             kLeastWork &&
         scheduler_.quiet();
}

void Model::WarmUp() {
  InferenceRequest request;
  request.rows = scheduling_.max_batch_rows;
  std::vector<std::vector<std::byte>> zeros;
  for (const TensorSignature& input : compiled_.inputs()) {
    zeros.emplace_back(input.Bytes(request.rows));
    request.inputs.push_back(zeros.back().data());
  }
  request.outputs.resize(compiled_.outputs().size(), nullptr);
  for (int slot = 0; slot < scheduling_.slots; ++slot) {
    for (const std::int64_t rows : {std::int64_t{1}, request.rows}) {
      // That zeros may have no answer does not matter here.
      std::array<BatchSlice, 1> batch = {{{.request = &request,
                                           .first_row = 0,
                                           .rows = rows,
                                           .status = absl::OkStatus()}}};
      runner_.Run(slot, batch);
    }
  }
}

}  // namespace relu
