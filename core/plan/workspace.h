// Workspace: the memory in which one thread runs one compiled model.

#ifndef CORE_PLAN_WORKSPACE_H_
#define CORE_PLAN_WORKSPACE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/aligned_buffer.h"
#include "core/plan/compiled_model.h"
#include "core/plan/step.h"

namespace relu {

// Why a row has no answer: an index outside of an embedding table, an integer
// divided by zero. `reason` belongs to a step of the model.
struct RowFault {
  std::int64_t row = 0;
  std::string_view reason;
};

// All buffers of a plan for up to max_rows() rows, in one arena taken at
// construction: nothing allocates while a model runs. Buffers that are not in
// use at the same time share memory; those of inputs and outputs do not, so a
// second Run() on the same inputs gives the same answers. For one thread at a
// time.
class Workspace {
 public:
  // `model` must outlive the workspace. `max_rows` >= 1. Up to `threads`
  // threads may share a run.
  Workspace(const CompiledModel& model, std::int64_t max_rows,
            std::size_t threads = 1);

  std::int64_t max_rows() const { return max_rows_; }
  std::size_t threads() const { return threads_; }

  // Copies `rows` rows of input `index`, row-major and without gaps, to the
  // rows from `first_row` on. `source` needs no alignment.
  void CopyIn(std::size_t index, std::int64_t first_row, std::int64_t rows,
              const std::byte* source);

  // Some bytes of each of the rows of an input: those from `offset_bytes` on.
  struct Columns {
    std::size_t offset_bytes = 0;
    std::size_t bytes = 0;
    // Those of the first row. `source_stride_bytes` from one row to the next;
    // 0: all rows get the same.
    const std::byte* source = nullptr;
    std::size_t source_stride_bytes = 0;
  };

  // The same for some columns of the rows.
  void CopyColumnsIn(std::size_t index, std::int64_t first_row,
                     std::int64_t rows, const Columns& columns);

  // Says that `rows` rows from `first_row` on, after those said before, have
  // features in common: a step may look for what it need compute only once for
  // all of them. Their answers are the same, to the bit. Until ForgetAlike().
  void NoteAlike(std::int64_t first_row, std::int64_t rows) {
    alike_.push_back({.begin = first_row, .end = first_row + rows});
  }
  void ForgetAlike() { alike_.clear(); }

  // The same from output `index` to `destination`.
  void CopyOut(std::size_t index, std::int64_t first_row, std::int64_t rows,
               std::byte* destination) const;

  // The first row of the last Run() that has no answer, or nullopt if rows
  // first_row .. first_row + rows - 1 are all good.
  std::optional<RowFault> Fault(std::int64_t first_row,
                                std::int64_t rows) const;

  // --- For the steps of a plan ---

  // The first byte of row `row` of buffer `buffer`.
  template <typename T>
  T* Row(std::size_t buffer, std::int64_t row) const;
  // The memory that a step has for itself while `thread` runs it: as much as
  // its scratch_bytes() says, 64-byte aligned.
  template <typename T>
  T* Scratch(std::size_t thread);
  // The rows that NoteAlike() spoke of, ascending.
  const std::vector<RowRange>& alike() const { return alike_; }
  // Notes that `row` has no answer. The first reason of a row stays. `reason`
  // outlives the workspace: the step owns it. Threads may call it for different
  // rows.
  void SetFault(std::int64_t row, const std::string& reason);
  void ClearFaults();

 private:
  // Where the rows of a buffer are in arena_.
  struct Place {
    std::byte* first_row = nullptr;
    std::size_t stride_bytes = 0;
  };

  const CompiledModel& model_;
  std::int64_t max_rows_;
  std::size_t threads_;
  AlignedBuffer arena_;
  std::vector<Place> places_;  // By buffer.
  AlignedBuffer scratch_;      // One part for each thread.
  std::vector<RowRange> alike_;
  std::vector<const std::string*> faults_;  // By row; nullptr: good.
  bool any_fault_ = false;
};

template <typename T>
T* Workspace::Scratch(std::size_t thread) {
  const std::size_t part = scratch_.size() / threads_;
  return reinterpret_cast<T*>(scratch_.bytes().data() + thread * part);
}

template <typename T>
T* Workspace::Row(std::size_t buffer, std::int64_t row) const {
  const Place& place = places_[buffer];
  return reinterpret_cast<T*>(place.first_row + static_cast<std::size_t>(row) *
                                                    place.stride_bytes);
}

}  // namespace relu

#endif  // CORE_PLAN_WORKSPACE_H_
