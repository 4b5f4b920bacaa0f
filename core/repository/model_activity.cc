#include "core/repository/model_activity.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/mutex.h"
#include "core/batching/inference_request.h"
#include "core/batching/shared_values.h"
#include "core/metrics/activity_figures.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"
#include "core/relu/activity_drift.h"

namespace relu {
namespace {

// Rows of one pass, at most: as many as make the reading of the weights cheap.
constexpr std::int64_t kPassRows = 16;
// What the buffers of one pass may take.
constexpr std::size_t kPassBytes = 1 << 20;
// Rows that may wait.
constexpr std::int64_t kWaitingRows = 2 * kPassRows;
// Of a model without a baseline: windows are only looked at.
constexpr std::int64_t kDefaultWindowRows = 256;

using Activities = std::vector<std::shared_ptr<ModelActivity>>;

// Takes its memory before the first request that needs it does.
Activities WithRoom() {
  constexpr std::size_t kModels = 16;
  Activities activities;
  activities.reserve(kModels);
  return activities;
}

// Those of which batches of this thread have copied rows. A scheduler calls
// back without saying on whose thread it is.
thread_local Activities due = WithRoom();

std::int64_t EveryOf(const CompiledModel& model, std::int64_t every) {
  if (model.couples_rows()) {
    return 0;
  }
  return every == ActivityOptions::kChoose ? SampleEvery(model) : every;
}

std::int64_t PassRows(const CompiledModel& model) {
  const std::size_t row_bytes =
      std::max<std::size_t>(model.workspace_row_bytes(), 1);
  return std::clamp<std::int64_t>(
      static_cast<std::int64_t>(kPassBytes / row_bytes), 1, kPassRows);
}

// By element of all inputs.
std::vector<double> ReferenceOf(
    const std::optional<ActivityBaseline>& baseline) {
  std::vector<double> reference;
  if (baseline.has_value()) {
    for (const InputBaseline& input : baseline->inputs) {
      reference.insert(reference.end(), input.mean.begin(), input.mean.end());
    }
  }
  return reference;
}

double OnShare(const LayerCounts& layer, std::int64_t rows) {
  double on = 0.0;
  for (const std::int64_t count : layer.on) {
    on += static_cast<double>(count);
  }
  const double all =
      static_cast<double>(rows) * static_cast<double>(layer.on.size());
  return all == 0.0 ? 0.0 : on / all;
}

LayerFigures FiguresOf(const ActivityReport& report, const CompiledModel& model,
                       const std::optional<ActivityBaseline>& baseline,
                       std::size_t i) {
  const LayerCounts& counts = report.total.layers[i];
  const std::int64_t rows = report.total.rows;
  LayerFigures figures;
  figures.layer = model.activations()[i].name;
  figures.sparsity = rows == 0 ? 0.0 : 1.0 - OnShare(counts, rows);
  figures.dead_neurons = rows == 0 ? 0 : counts.dead();
  figures.always_on_neurons = counts.always_on(rows);
  figures.saturated_neurons = counts.always_saturated(rows);
  for (const float largest : counts.largest) {
    figures.largest = std::max(figures.largest, double{largest});
  }
  if (baseline.has_value()) {
    figures.firing_threshold = baseline->layers[i].firing_threshold;
    figures.magnitude_threshold = baseline->layers[i].magnitude_threshold;
  }
  if (report.scores.has_value()) {
    figures.firing_score = report.scores->firing[i];
    figures.magnitude_score = report.scores->magnitude[i];
  }
  return figures;
}

}  // namespace

std::int64_t SampleEvery(const CompiledModel& model) {
  // In cycles, from what Zen 3 takes (tests/benchmark/activity_benchmark): a
  // multiply-add of a batch, and a step; of a row that is looked at, the same
  // twice over, as its batch is smaller, and each value that is counted; and
  // that between two looks their code and memory have left the caches.
  constexpr double kMultiplyAdd = 1.0 / 12;
  constexpr double kStep = 40;
  constexpr double kValue = 4;
  constexpr double kCold = 5000;
  constexpr double kShare = 0.005;  // Of the time: 1 % with a margin.
  // A window of 256 rows comes to its end even if rows cost next to nothing.
  constexpr double kMostRows = 9999;
  auto values = static_cast<double>(InputElements(model));
  for (const ActivationLayer& layer : model.activations()) {
    values += static_cast<double>(layer.neurons);
  }
  // A plan without steps costs about one: rows are copied.
  const std::size_t steps =
      std::max<std::size_t>(model.report().steps.size(), 1);
  const double row = kMultiplyAdd * static_cast<double>(model.multiply_adds()) +
                     kStep * static_cast<double>(steps);
  const double look = 2 * row + kValue * values + kCold;
  const double every = std::min(look / (kShare * row), kMostRows);
  return static_cast<std::int64_t>(every) | 1;
}

ModelActivity::ModelActivity(const CompiledModel& model,
                             ActivityOptions options, int slots)
    : model_(model),
      options_(std::move(options)),
      every_(EveryOf(model, options_.sample_every)),
      window_rows_(options_.baseline.has_value()
                       ? options_.baseline->window_rows
                       : kDefaultWindowRows),
      slots_(static_cast<std::size_t>(slots)) {
  if (!enabled()) {
    // More rows than there will ever be.
    std::ranges::fill(slots_, Slot{std::numeric_limits<std::int64_t>::max()});
    return;
  }
  pass_.emplace(model, PassRows(model), ReferenceOf(options_.baseline));
  pointers_.reserve(model.inputs().size());
  counted_.emplace(model);
  window_.emplace(model);
  report_.emplace(model);
  report_->sample_every = every_;
  report_->window_rows = window_rows_;
  for (Rows* const rows : {&running_, &waiting_}) {
    for (const TensorSignature& input : model.inputs()) {
      rows->inputs.emplace_back(input.row_bytes *
                                static_cast<std::size_t>(kWaitingRows));
    }
  }
}

std::size_t ModelActivity::BytesFor(const CompiledModel& model,
                                    std::int64_t sample_every) {
  if (EveryOf(model, sample_every) == 0) {
    return 0;
  }
  std::size_t input_bytes = 0;
  for (const TensorSignature& input : model.inputs()) {
    input_bytes += input.row_bytes;
  }
  // Rows that wait and that run, the pass, and what is counted: of the pass,
  // the window that is not complete, the last one, and all.
  return 2 * static_cast<std::size_t>(kWaitingRows) * input_bytes +
         static_cast<std::size_t>(PassRows(model)) *
             model.workspace_row_bytes() +
         2 * InputElements(model) * sizeof(double) +
         4 * ActivityCounts(model).bytes();
}

std::int64_t ModelActivity::CopySome(std::int64_t next,
                                     std::span<const BatchSlice> batch) {
  for (const BatchSlice& slice : batch) {
    for (; next < slice.rows; next += every_) {
      // A slice without answers has no activity that means anything.
      if (slice.status.ok()) {
        Copy(slice, slice.first_row + next);
      }
    }
    next -= slice.rows;
  }
  return next;
}

void ModelActivity::Copy(const BatchSlice& slice, std::int64_t row) {
  bool full = false;
  {
    const MutexLock lock(mu_);
    full = waiting_.count == kWaitingRows;
  }
  if (full) {
    Process(Waiting::kForNobody);
  }
  const MutexLock lock(mu_);
  if (waiting_.count == kWaitingRows || closed_) {
    ++report_->skipped_rows;
    return;
  }
  const InferenceRequest& request = *slice.request;
  const SharedValues nothing;
  for (std::size_t i = 0; i < waiting_.inputs.size(); ++i) {
    const std::size_t bytes = model_.inputs()[i].row_bytes;
    const SharedValues& shared =
        request.shared.empty() ? nothing : request.shared[i];
    const std::size_t own_bytes = shared.OwnBytes(bytes);
    CopyWholeRow(shared,
                 own_bytes == 0 ? nullptr
                                : request.inputs[i] +
                                      static_cast<std::size_t>(row) * own_bytes,
                 bytes,
                 waiting_.inputs[i].data() +
                     static_cast<std::size_t>(waiting_.count) * bytes);
  }
  ++waiting_.count;
  if (waiting_.count >= kPassRows && !due_) {
    due_ = true;
    due.push_back(shared_from_this());
  }
}

void ModelActivity::ProcessDue() {
  for (const std::shared_ptr<ModelActivity>& activity : due) {
    activity->Process(Waiting::kForNobody);
  }
  due.clear();
}

void ModelActivity::Process(Waiting waiting) {
  std::int64_t window_left = 0;
  {
    const MutexLock lock(mu_);
    due_ = false;
    while (waiting == Waiting::kForOthers && processing_) {
      idle_.Wait(mu_);
    }
    if (processing_ || closed_ || waiting_.count == 0) {
      return;
    }
    processing_ = true;
    std::swap(waiting_, running_);
    window_left = window_rows_ - window_->rows;
  }
  // What comes meanwhile is left to the next call: a thread that serves must
  // not be kept here.
  for (std::int64_t first = 0; first < running_.count;) {
    first += RunSome(first, window_left);
    const MutexLock lock(mu_);
    Merge();
    window_left = window_rows_ - window_->rows;
  }
  running_.count = 0;
  const MutexLock lock(mu_);
  processing_ = false;
  idle_.NotifyAll();
}

std::int64_t ModelActivity::RunSome(std::int64_t first,
                                    std::int64_t window_left) {
  const std::int64_t rows =
      std::min({running_.count - first, pass_->max_rows(), window_left});
  pointers_.clear();
  for (std::size_t i = 0; i < running_.inputs.size(); ++i) {
    pointers_.push_back(running_.inputs[i].data() +
                        static_cast<std::size_t>(first) *
                            model_.inputs()[i].row_bytes);
  }
  counted_->Clear();
  pass_->Run(rows, pointers_, *counted_);
  return rows;
}

void ModelActivity::Merge() {
  report_->total.Add(*counted_);
  window_->Add(*counted_);
  if (window_->rows == window_rows_) {
    FinishWindow();
  }
}

void ModelActivity::FinishWindow() {
  ++report_->windows;
  std::swap(report_->window, *window_);
  window_->Clear();
  if (options_.baseline.has_value()) {
    report_->scores = ScoreDrift(*options_.baseline, report_->window);
    if (report_->scores->Exceed(*options_.baseline)) {
      ++report_->drifted_windows;
    }
  }
}

ActivityReport ModelActivity::Read() {
  CHECK(enabled());
  Process(Waiting::kForOthers);
  const MutexLock lock(mu_);
  return *report_;
}

ActivityFigures ModelActivity::Figures() {
  ActivityFigures figures;
  if (!enabled()) {
    return figures;
  }
  const ActivityReport report = Read();
  figures.enabled = true;
  figures.has_baseline = options_.baseline.has_value();
  figures.sampled_rows = static_cast<std::uint64_t>(
      report.total.rows + report.total.nonfinite_rows);
  figures.nonfinite_rows =
      static_cast<std::uint64_t>(report.total.nonfinite_rows);
  figures.skipped_rows = report.skipped_rows;
  figures.windows = report.windows;
  figures.drifted_windows = report.drifted_windows;
  if (figures.has_baseline) {
    figures.input_threshold = options_.baseline->input_threshold;
  }
  if (report.scores.has_value()) {
    figures.input_score = report.scores->inputs;
  }
  for (std::size_t i = 0; i < report.total.layers.size(); ++i) {
    figures.layers.push_back(FiguresOf(report, model_, options_.baseline, i));
  }
  return figures;
}

void ModelActivity::Close() {
  const MutexLock lock(mu_);
  closed_ = true;
  while (processing_) {
    idle_.Wait(mu_);
  }
}

}  // namespace relu
