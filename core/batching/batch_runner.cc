#include "core/batching/batch_runner.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/status.h"

#include "core/batching/inference_request.h"
#include "core/batching/shared_values.h"
#include "core/metrics/compute_times.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Where row `row` of a tensor with rows of this size lies.
template <typename Byte>
Byte* AtRow(Byte* tensor, const TensorSignature& signature, std::int64_t row) {
  return tensor + static_cast<std::size_t>(row) * signature.row_bytes;
}

// Rows that have values in common.
void GatherAlike(const CompiledModel& model, const BatchSlice& slice,
                 std::int64_t batch_row, Workspace& workspace) {
  const InferenceRequest& request = *slice.request;
  for (std::size_t i = 0; i < request.shared.size(); ++i) {
    const SharedValues& shared = request.shared[i];
    const std::size_t own_bytes = shared.OwnBytes(model.inputs()[i].row_bytes);
    const std::byte* const own =
        own_bytes == 0
            ? nullptr
            : request.inputs[i] +
                  static_cast<std::size_t>(slice.first_row) * own_bytes;
    GatherShared(model, i, shared, own,
                 {.begin = batch_row, .end = batch_row + slice.rows},
                 workspace);
  }
  workspace.NoteAlike(batch_row, slice.rows);
}

void Gather(const CompiledModel& model, const BatchSlice& slice,
            std::int64_t batch_row, Workspace& workspace) {
  const std::span<const TensorSignature> inputs = model.inputs();
  if (!slice.request->shared.empty()) {
    GatherAlike(model, slice, batch_row, workspace);
    return;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    workspace.CopyIn(
        i, batch_row, slice.rows,
        AtRow(slice.request->inputs[i], inputs[i], slice.first_row));
  }
}

void Scatter(const CompiledModel& model, const BatchSlice& slice,
             std::int64_t batch_row, const Workspace& workspace) {
  const std::span<const TensorSignature> outputs = model.outputs();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::byte* const output = slice.request->outputs[i];
    if (output != nullptr) {
      workspace.CopyOut(i, batch_row, slice.rows,
                        AtRow(output, outputs[i], slice.first_row));
    }
  }
}

}  // namespace

BatchRunner::BatchRunner(const CompiledModel& model, int slots,
                         std::int64_t max_batch_rows, int team_size)
    : model_(model) {
  workspaces_.reserve(static_cast<std::size_t>(slots));
  for (int slot = 0; slot < slots; ++slot) {
    workspaces_.emplace_back(model, max_batch_rows,
                             static_cast<std::size_t>(team_size));
  }
}

ComputeTimes BatchRunner::Run(int slot, std::span<BatchSlice> batch,
                              ThreadTeam* team) {
  using Clock = std::chrono::steady_clock;
  Workspace& workspace = workspaces_[static_cast<std::size_t>(slot)];
  const Clock::time_point start = Clock::now();
  std::int64_t rows = 0;
  workspace.ForgetAlike();
  for (const BatchSlice& slice : batch) {
    Gather(model_, slice, rows, workspace);
    rows += slice.rows;
  }
  const Clock::time_point gathered = Clock::now();
  if (team != nullptr) {
    model_.Run(rows, workspace, *team);
  } else {
    model_.Run(rows, workspace);
  }
  const Clock::time_point computed = Clock::now();
  std::int64_t batch_row = 0;
  for (BatchSlice& slice : batch) {
    const std::optional<RowFault> fault =
        workspace.Fault(batch_row, slice.rows);
    if (fault.has_value()) {
      // Of the rows of the request, which may be in several batches.
      slice.status = absl::InvalidArgumentError(
          fmt::format("row {}: {}", slice.first_row + fault->row - batch_row,
                      fault->reason));
    } else {
      Scatter(model_, slice, batch_row, workspace);
    }
    batch_row += slice.rows;
  }
  const ComputeTimes times = {.input = gathered - start,
                              .infer = computed - gathered,
                              .output = Clock::now() - computed};
  for (const BatchSlice& slice : batch) {
    slice.request->compute.Add(times);
  }
  return times;
}

}  // namespace relu
