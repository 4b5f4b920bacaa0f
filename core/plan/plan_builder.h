// PlanBuilder: a plan while it is made: its buffers, its steps, and which
// buffer holds which value of the graph.

#ifndef CORE_PLAN_PLAN_BUILDER_H_
#define CORE_PLAN_PLAN_BUILDER_H_

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/graph/graph.h"
#include "core/plan/arena.h"
#include "core/plan/graph_uses.h"
#include "core/plan/step.h"

namespace relu {

// For one thread.
class PlanBuilder {
 public:
  // `graph` must outlive the builder.
  explicit PlanBuilder(const Graph& graph);

  const Graph& graph() const { return graph_; }
  const Value& value(ValueId id) const { return graph_.values[id]; }

  const GraphUses& uses() const { return uses_; }

  // The buffer of a batched value. CHECKs that the value has one.
  std::size_t BufferOf(ValueId id) const;

  // Makes a buffer for `id` in its storage type: where Reserve() says, or a new
  // one.
  std::size_t Define(ValueId id);
  // The same, or the buffer of input `input` of `node`, where that has the same
  // size and nothing needs its content after `node`. For a step that may write
  // its result over this operand, and may read the others element by element
  // as it goes.
  std::size_t DefineInPlace(ValueId id, const Node& node, std::size_t input);
  // Says that `buffer` holds `id` too, or instead.
  void Place(ValueId id, std::size_t buffer);
  // Says where Define() is to put `id`: the bytes of each row of `buffer` from
  // `column_bytes` on.
  void Reserve(ValueId id, std::size_t buffer, std::size_t column_bytes);
  bool IsReserved(ValueId id) const;
  std::size_t ReservedBuffer(ValueId id) const;
  // Says that one use of `id`, by a node or layer that is done, is over.
  void Release(ValueId id);

  // A buffer with no value: scratch memory, an intermediate result.
  std::size_t AddBuffer(std::size_t row_bytes);
  // `row_bytes` of each row of `buffer`, from `column_bytes` on, as a buffer.
  std::size_t AddColumns(std::size_t buffer, std::size_t column_bytes,
                         std::size_t row_bytes);
  // Whether `buffer` is columns of `whole`, from `column_bytes` on.
  bool IsColumns(std::size_t buffer, std::size_t whole,
                 std::size_t column_bytes) const;

  const BufferLayout& layout(std::size_t buffer) const {
    return buffers_[buffer];
  }
  // Elements of 4 bytes from one row of `buffer` to the next.
  std::size_t FloatStride(std::size_t buffer) const;

  // Whether the rows of `buffer` lie one after the other, without gaps.
  bool HasDenseRows(std::size_t buffer) const;

  // Appends a step that reads or writes `buffers` and no others.
  void AddStep(std::unique_ptr<const Step> step,
               const std::vector<std::size_t>& buffers);

  // No step may write its result over what is in `buffer`.
  void ProtectContent(std::size_t buffer);
  // Keeps the content of `buffer` for the whole run (an input), or from its
  // first use to the end (an output).
  void KeepAlways(std::size_t buffer);
  void KeepToEnd(std::size_t buffer);

  // So far, as they were added.
  std::span<const std::unique_ptr<const Step>> steps() const { return steps_; }
  std::size_t constant_bytes() const { return constant_bytes_; }

  // The finished parts. The builder is of no use after this.
  struct Plan {
    std::vector<BufferLayout> buffers;
    std::vector<std::unique_ptr<const Step>> steps;
    std::size_t workspace_row_bytes = 0;
    std::size_t constant_bytes = 0;
    std::size_t scratch_bytes = 0;  // Of the step that needs most.
  };
  Plan Finish();

 private:
  // What is known of a buffer besides its layout.
  struct BufferUse {
    // The buffer that has the memory: itself, but for columns of another.
    std::size_t root = 0;
    Lifetime lifetime;          // Of a root.
    std::size_t open_uses = 0;  // Of the values in a root, not yet released.
  };

  bool MayOverwrite(const Node& node, std::size_t input) const;

  const Graph& graph_;
  GraphUses uses_;
  std::vector<std::size_t> buffer_of_value_;
  std::vector<std::size_t> reserved_;  // By value: a buffer.
  std::vector<BufferLayout> buffers_;
  std::vector<BufferUse> buffer_uses_;  // By buffer.
  std::vector<std::unique_ptr<const Step>> steps_;
  std::size_t constant_bytes_ = 0;
};

}  // namespace relu

#endif  // CORE_PLAN_PLAN_BUILDER_H_
