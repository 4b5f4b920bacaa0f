// Step: one unit of work of a compiled model, and the buffers it works on.

#ifndef CORE_PLAN_STEP_H_
#define CORE_PLAN_STEP_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace relu {

class Workspace;

// How a value lies in a workspace: each row is contiguous and starts
// `row_stride_bytes` after the one before; on a 64-byte boundary, but for
// columns of another buffer.
struct BufferLayout {
  std::size_t row_bytes = 0;
  std::size_t row_stride_bytes = 0;  // A multiple of 64.
  // Where the buffer starts in a workspace for one row. For n rows everything
  // is n times as large, so it starts at n times this.
  std::size_t offset_bytes = 0;
  // If the buffer is columns of another one: where they start in each row.
  std::size_t column_bytes = 0;
};

// Rows begin .. end - 1, at least one, and the thread that computes them.
struct RowRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::size_t thread = 0;  // Whose scratch memory is used.

  std::int64_t size() const { return end - begin; }
};

// One of `count` parts, of equal size or nearly so, of the columns that a step
// computes.
struct ColumnShare {
  std::size_t index = 0;
  std::size_t count = 1;
};

// Immutable: all that changes while running is in the Workspace.
class Step {
 public:
  Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  virtual ~Step() = default;

  // Computes these rows of its output buffers from the same rows of its input
  // buffers, and touches no other rows: threads may share a batch.
  virtual void Run(RowRange rows, Workspace& workspace) const = 0;

  // Into how many shares the columns can be split, for several threads.
  virtual std::size_t column_shares() const { return 1; }

  // Computes one share of the columns of these rows.
  virtual void RunColumns(RowRange rows, ColumnShare /*share*/,
                          Workspace& workspace) const {
    Run(rows, workspace);
  }

  // Memory that each thread needs while it runs the step: Workspace::Scratch().
  virtual std::size_t scratch_bytes() const { return 0; }

  // One line for people: "dense 784 -> 512, relu".
  virtual std::string Describe() const = 0;

  // Memory for the weights, tables and constants that the step owns.
  virtual std::size_t constant_bytes() const { return 0; }
};

}  // namespace relu

#endif  // CORE_PLAN_STEP_H_
