#include "core/repository/model.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/base/thread_team.h"
#include "core/batching/batch_runner.h"
#include "core/batching/dispatcher.h"
#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/metrics/metrics.h"
#include "core/metrics/model_metrics.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/compaction_box.h"
#include "core/relu/input_domain.h"
#include "core/relu/overflow_certificate.h"
#include "core/repository/activity_file.h"
#include "core/repository/class_labels.h"
#include "core/repository/guarantee_config.h"
#include "core/repository/model_activity.h"
#include "core/repository/model_config.h"
#include "core/repository/model_warmup.h"
#include "core/tensor/data_type.h"
#include "fmt/format.h"

namespace relu {
namespace {

SchedulerOptions Scheduling(const ModelOptions& options,
                            const CompiledModel& compiled) {
  const ModelConfig& config = options.config;
  SchedulerOptions scheduling{.slots = options.slots,
                              .max_batch_rows = options.max_batch_rows,
                              .limits = options.queue_limits,
                              .max_queue_time = options.max_queue_time,
                              .batching = config.batching};
  if (config.slots > 0) {
    scheduling.slots = config.slots;
  }
  if (config.max_batch_size > 0) {
    scheduling.max_batch_rows =
        std::min(scheduling.max_batch_rows, config.max_batch_size);
  }
  scheduling.keeps_requests_whole = compiled.couples_rows();
  if (!compiled.has_batch_dim()) {
    scheduling.max_batch_rows = 1;
  }
  return scheduling;
}

std::int64_t SampleEveryOf(const ModelOptions& options) {
  return options.config.activity_sample_every.value_or(
      options.activity_sample_every);
}

// Weights, and rows in every slot.
std::size_t ServingBytes(const CompiledModel& compiled,
                         const SchedulerOptions& scheduling) {
  return compiled.weight_bytes() +
         compiled.workspace_row_bytes() *
             static_cast<std::size_t>(scheduling.max_batch_rows) *
             static_cast<std::size_t>(scheduling.slots);
}

std::size_t Bytes(const ModelOptions& options, const CompiledModel& compiled) {
  return ServingBytes(compiled, Scheduling(options, compiled)) +
         ModelActivity::BytesFor(compiled, SampleEveryOf(options));
}

absl::Status CheckMemory(const ModelOptions& options,
                         const CompiledModel& compiled) {
  const std::size_t bytes = Bytes(options, compiled);
  if (bytes <= options.memory_limit_bytes) {
    return absl::OkStatus();
  }
  const SchedulerOptions scheduling = Scheduling(options, compiled);
  const std::size_t serving = ServingBytes(compiled, scheduling);
  return absl::ResourceExhaustedError(
      fmt::format("it takes {} bytes, of weights {}, for {} slots of {} rows "
                  "{}, to look at "
                  "its activity {}; {} are left",
                  bytes, compiled.weight_bytes(), scheduling.slots,
                  scheduling.max_batch_rows, serving - compiled.weight_bytes(),
                  bytes - serving, options.memory_limit_bytes));
}

// Of a model that was made smaller for a box, a domain that was configured must
// lie within it; without one, `configured` becomes the box.
absl::StatusOr<InputDomain> ReadDomain(const Graph& graph,
                                       const CompiledModel& compiled,
                                       std::vector<InputRules>& configured) {
  ASSIGN_OR_RETURN(std::vector<InputRules> rules,
                   BoxOfMetadata(graph.metadata));
  ASSIGN_OR_RETURN(InputDomain box,
                   InputDomain::Create(rules, compiled.inputs()));
  if (configured.empty()) {
    configured = std::move(rules);
    return box;
  }
  ASSIGN_OR_RETURN(InputDomain domain,
                   InputDomain::Create(configured, compiled.inputs()));
  const absl::Status within = domain.CheckWithin(box);
  if (!within.ok()) {
    return WithPrefix(
        "the model was made smaller for a part of its inputs, beyond which its "
        "answers are wrong: ",
        within);
  }
  return domain;
}

// What is proven of the model, if anybody wants to know.
absl::StatusOr<std::optional<OverflowCertificate>> Certify(
    const ModelOptions& options, const Graph& graph,
    const InputDomain& domain) {
  const CertificatePolicy policy = options.config.guarantees.certificate;
  if (policy == CertificatePolicy::kOff) {
    return std::nullopt;
  }
  OverflowCertificate certificate = CertifyNoOverflow(
      graph, domain, {.weights = options.config.compile.weights});
  if (!certificate.certified && policy == CertificatePolicy::kRefuse) {
    return absl::FailedPreconditionError(
        fmt::format("it is not proven that no input of its domain overflows "
                    "(overflow_certificate is \"refuse\"): {}",
                    certificate.reason));
  }
  return certificate;
}

// By output of the model.
absl::StatusOr<std::vector<ClassLabels>> ReadLabels(
    const ModelOptions& options, const CompiledModel& compiled) {
  std::vector<ClassLabels> labels;
  for (const TensorSignature& output : compiled.outputs()) {
    labels.emplace_back();
    const auto config = std::ranges::find(options.config.outputs, output.name,
                                          &TensorConfig::name);
    if (config != options.config.outputs.end() &&
        !config->label_filename.empty()) {
      ASSIGN_OR_RETURN(labels.back(), ReadClassLabels(output, options.folder,
                                                      config->label_filename));
    }
  }
  return labels;
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

// Of floats a byte that makes none of them zero, or a layer would skip its
// work; integers are zero, which is in the range of most tables.
std::byte WarmUpByte(DataType type) {
  const bool is_float = type == DataType::kFp64 || type == DataType::kFp32 ||
                        type == DataType::kFp16 || type == DataType::kBf16;
  return is_float ? std::byte{0x3C} : std::byte{0};
}

}  // namespace

// The graph is gone afterwards: it holds a second copy of the weights.
absl::StatusOr<Model::Parts> Model::Compile(ModelOptions& options) {
  ASSIGN_OR_RETURN(const Graph graph, ImportOnnx(options.file));
  ASSIGN_OR_RETURN(
      CompiledModel compiled,
      CompiledModel::Compile(graph, options.config.compile, options.costs));
  RETURN_IF_ERROR(SelfCheck(graph, compiled));
  RETURN_IF_ERROR(CheckTensors(options.config, compiled));
  RETURN_IF_ERROR(CheckMemory(options, compiled));
  ASSIGN_OR_RETURN(std::vector<ClassLabels> labels,
                   ReadLabels(options, compiled));
  ASSIGN_OR_RETURN(
      InputDomain domain,
      ReadDomain(graph, compiled, options.config.guarantees.domain));
  ASSIGN_OR_RETURN(std::optional<OverflowCertificate> certificate,
                   Certify(options, graph, domain));
  return Parts{.compiled = std::move(compiled),
               .labels = std::move(labels),
               .domain = std::move(domain),
               .certificate = std::move(certificate)};
}

absl::StatusOr<std::unique_ptr<Model>> Model::Load(ModelOptions options,
                                                   Metrics& metrics) {
  absl::StatusOr<Parts> parts = Compile(options);
  if (!parts.ok()) {
    return WithNames(options, parts.status());
  }
  absl::StatusOr<std::optional<ActivityBaseline>> baseline =
      ReadActivityFile(options.file, parts->compiled);
  if (!baseline.ok()) {
    return WithPrefix(fmt::format("model \"{}\": ", options.name),
                      baseline.status());
  }
  parts->baseline = *std::move(baseline);
  const SchedulerOptions scheduling = Scheduling(options, parts->compiled);
  auto model = std::make_unique<Model>(
      ForLoad(), options, *std::move(parts),
      metrics.ForModel(options.name, fmt::format("{}", options.version),
                       scheduling.max_batch_rows));
  const absl::Status warm = model->WarmUp();
  if (!warm.ok()) {
    return WithNames(options, warm);
  }
  return model;
}

Model::Model(ForLoad, const ModelOptions& options, Parts parts,
             std::shared_ptr<ModelMetrics> metrics)
    : options_(options),
      scheduling_(Scheduling(options, parts.compiled)),
      compiled_(std::move(parts.compiled)),
      labels_(std::move(parts.labels)),
      metrics_(std::move(metrics)),
      explainers_(
          compiled_, options_.file,
          options_.memory_limit_bytes - std::min(options_.memory_limit_bytes,
                                                 Bytes(options_, compiled_))),
      guarantees_(compiled_, options_.config.guarantees,
                  std::move(parts.domain), std::move(parts.certificate),
                  metrics_->guarantees()),
      activity_(std::make_shared<ModelActivity>(
          compiled_,
          ActivityOptions{.sample_every = SampleEveryOf(options_),
                          .baseline = std::move(parts.baseline)},
          scheduling_.slots)),
      runner_(compiled_, scheduling_.slots, scheduling_.max_batch_rows,
              options.team == nullptr ? 1 : options.team->size()),
      dispatcher_(options.dispatcher != nullptr
                      ? options.dispatcher
                      : std::make_shared<Dispatcher>()),
      scheduler_(
          *dispatcher_, scheduling_,
          [this](int slot, std::span<BatchSlice> batch) { Run(slot, batch); }) {
}

void Model::Run(int slot, std::span<BatchSlice> batch) {
  std::int64_t rows = 0;
  for (const BatchSlice& slice : batch) {
    rows += slice.rows;
  }
  const TeamLease lease =
      MayShare(rows) ? TeamLease(*options_.team) : TeamLease();
  metrics_->CountBatch(rows, runner_.Run(slot, batch, lease.team()));
  activity_->Sample(slot, rows, batch);
}

// Some thread may still hold what looks at rows.
Model::~Model() { activity_->Close(); }

bool Model::MayShare(std::int64_t rows) const {
  // Multiply-adds of 100 us or so: less is not worth a second CPU, which looks
  // for work for a while afterwards.
  constexpr std::size_t kLeastWork = 2'000'000;
  return options_.team != nullptr &&
         compiled_.multiply_adds() * static_cast<std::size_t>(rows) >=
             kLeastWork &&
         dispatcher_->quiet();
}

std::size_t Model::bytes() const { return Bytes(options_, compiled_); }

absl::Status Model::WarmUp() {
  InferenceRequest request;
  request.rows = scheduling_.max_batch_rows;
  std::vector<std::vector<std::byte>> values;
  for (const TensorSignature& input : compiled_.inputs()) {
    values.emplace_back(input.Bytes(request.rows), WarmUpByte(input.type));
    request.inputs.push_back(values.back().data());
  }
  request.outputs.resize(compiled_.outputs().size(), nullptr);
  for (const std::int64_t rows : {std::int64_t{1}, request.rows}) {
    RunOnEverySlot(request, rows);
  }
  MeasureCost(request);
  for (const WarmupSample& sample : options_.config.warmup) {
    ASSIGN_OR_RETURN(
        const WarmupRequest warmup,
        MakeWarmupRequest(sample, compiled_, options_.config.max_batch_size,
                          options_.warmup_folder));
    if (max_request_rows() > 0 && warmup.rows > max_request_rows()) {
      return absl::InvalidArgumentError(fmt::format(
          "model_warmup \"{}\" has {} rows, a request has at most {}",
          sample.name, warmup.rows, max_request_rows()));
    }
    for (std::size_t i = 0; i < warmup.inputs.size(); ++i) {
      request.inputs[i] = warmup.inputs[i].data();
    }
    for (int run = 0; run < warmup.runs; ++run) {
      RunOnEverySlot(request, warmup.rows);
    }
  }
  return absl::OkStatus();
}

void Model::MeasureCost(InferenceRequest& request) {
  // Enough to know what batches take; large ones cost in proportion.
  constexpr std::chrono::milliseconds kLongest{10};
  std::chrono::steady_clock::duration spent{0};
  for (std::int64_t rows = 1; rows <= request.rows && spent < kLongest;
       rows *= 2) {
    std::array<BatchSlice, 1> batch = {{{.request = &request,
                                         .first_row = 0,
                                         .rows = rows,
                                         .status = absl::OkStatus()}}};
    const auto start = std::chrono::steady_clock::now();
    runner_.Run(0, batch);
    const auto cost = std::chrono::steady_clock::now() - start;
    scheduler_.NoteCost(rows, cost);
    spent += cost;
  }
}

void Model::RunOnEverySlot(InferenceRequest& request, std::int64_t rows) {
  for (int slot = 0; slot < scheduling_.slots; ++slot) {
    for (std::int64_t first = 0; first < rows;
         first += scheduling_.max_batch_rows) {
      std::array<BatchSlice, 1> batch = {{{
          .request = &request,
          .first_row = first,
          .rows = std::min(rows - first, scheduling_.max_batch_rows),
          .status = absl::OkStatus(),
      }}};
      runner_.Run(slot, batch);
    }
  }
}

}  // namespace relu
