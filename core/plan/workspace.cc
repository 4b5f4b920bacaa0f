#include "core/plan/workspace.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "core/base/aligned_buffer.h"
#include "core/base/check.h"
#include "core/plan/compiled_model.h"
#include "core/plan/step.h"

namespace relu {
namespace {

struct RowBlock {
  std::byte* first_row = nullptr;
  std::size_t stride_bytes = 0;
};

struct ConstRowBlock {
  const std::byte* first_row = nullptr;
  std::size_t stride_bytes = 0;
};

// Rows of so many bytes that a call of memcpy() for each takes longer than to
// copy them.
template <std::size_t kRowBytes>
void CopySmallRows(std::size_t count, const ConstRowBlock& source,
                   const RowBlock& destination) {
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(destination.first_row + i * destination.stride_bytes,
                source.first_row + i * source.stride_bytes, kRowBytes);
  }
}

void CopyRows(std::int64_t rows, std::size_t row_bytes,
              const ConstRowBlock& source, const RowBlock& destination) {
  const auto count = static_cast<std::size_t>(rows);
  if (row_bytes == 0 || count == 0) {
    return;
  }
  if (source.stride_bytes == row_bytes &&
      destination.stride_bytes == row_bytes) {
    std::memcpy(destination.first_row, source.first_row, count * row_bytes);
    return;
  }
  switch (row_bytes) {
    case 4:
      return CopySmallRows<4>(count, source, destination);
    case 8:
      return CopySmallRows<8>(count, source, destination);
    case 12:
      return CopySmallRows<12>(count, source, destination);
    case 16:
      return CopySmallRows<16>(count, source, destination);
    default:
      for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(destination.first_row + i * destination.stride_bytes,
                    source.first_row + i * source.stride_bytes, row_bytes);
      }
  }
}

}  // namespace

Workspace::Workspace(const CompiledModel& model, std::int64_t max_rows,
                     std::size_t threads)
    : model_(model), max_rows_(max_rows), threads_(threads) {
  CHECK(max_rows >= 1 && threads >= 1);
  const auto rows = static_cast<std::size_t>(max_rows);
  arena_ = AlignedBuffer(model.workspace_row_bytes_ * rows);
  places_.reserve(model.buffers_.size());
  for (const BufferLayout& layout : model.buffers_) {
    places_.push_back({.first_row = arena_.bytes().data() +
                                    layout.offset_bytes * rows +
                                    layout.column_bytes,
                       .stride_bytes = layout.row_stride_bytes});
  }
  scratch_ =
      AlignedBuffer(RoundUp(model.scratch_bytes_, kBufferAlignment) * threads);
  faults_.resize(rows, nullptr);
}

void Workspace::CopyIn(std::size_t index, std::int64_t first_row,
                       std::int64_t rows, const std::byte* source) {
  const std::size_t buffer = model_.input_buffers_[index];
  const BufferLayout& layout = model_.buffers_[buffer];
  CopyRows(model_.inputs_[index].row_axis ? rows : 1, layout.row_bytes,
           {.first_row = source, .stride_bytes = layout.row_bytes},
           {.first_row = Row<std::byte>(buffer, first_row),
            .stride_bytes = layout.row_stride_bytes});
}

void Workspace::CopyColumnsIn(std::size_t index, std::int64_t first_row,
                              std::int64_t rows, const Columns& columns) {
  const std::size_t buffer = model_.input_buffers_[index];
  CopyRows(
      rows, columns.bytes,
      {.first_row = columns.source,
       .stride_bytes = columns.source_stride_bytes},
      {.first_row = Row<std::byte>(buffer, first_row) + columns.offset_bytes,
       .stride_bytes = model_.buffers_[buffer].row_stride_bytes});
}

void Workspace::CopyOut(std::size_t index, std::int64_t first_row,
                        std::int64_t rows, std::byte* destination) const {
  const std::size_t buffer = model_.output_buffers_[index];
  const BufferLayout& layout = model_.buffers_[buffer];
  CopyRows(model_.outputs_[index].row_axis ? rows : 1, layout.row_bytes,
           {.first_row = Row<const std::byte>(buffer, first_row),
            .stride_bytes = layout.row_stride_bytes},
           {.first_row = destination, .stride_bytes = layout.row_bytes});
}

std::optional<RowFault> Workspace::Fault(std::int64_t first_row,
                                         std::int64_t rows) const {
  if (!any_fault_) {
    return std::nullopt;
  }
  for (std::int64_t row = first_row; row < first_row + rows; ++row) {
    const std::string* reason = faults_[static_cast<std::size_t>(row)];
    if (reason != nullptr) {
      return RowFault{.row = row, .reason = *reason};
    }
  }
  return std::nullopt;
}

void Workspace::SetFault(std::int64_t row, const std::string& reason) {
  // Threads that share a batch may do this at the same time, for different
  // rows. Whoever reads it has waited for all of them.
  std::atomic_ref(any_fault_).store(true, std::memory_order_relaxed);
  const std::string*& fault = faults_[static_cast<std::size_t>(row)];
  if (fault == nullptr) {
    fault = &reason;
  }
}

void Workspace::ClearFaults() {
  if (any_fault_) {
    std::ranges::fill(faults_, nullptr);
    any_fault_ = false;
  }
}

}  // namespace relu
