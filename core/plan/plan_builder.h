// PlanBuilder: a plan while it is made: its buffers, its steps, and which
// buffer holds which value of the graph.

#ifndef CORE_PLAN_PLAN_BUILDER_H_
#define CORE_PLAN_PLAN_BUILDER_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "core/graph/graph.h"
#include "core/plan/arena.h"
#include "core/plan/step.h"

namespace relu {

// For one thread.
class PlanBuilder {
 public:
  // `graph` must outlive the builder.
  explicit PlanBuilder(const Graph& graph);

  const Graph& graph() const { return graph_; }
  const Value& value(ValueId id) const { return graph_.values[id]; }

  // The buffer of a batched value. CHECKs that the value has one.
  std::size_t BufferOf(ValueId id) const;

  // Makes a buffer for `id` in its storage type.
  std::size_t Define(ValueId id);
  // Says that `buffer` holds `id` too, or instead.
  void Place(ValueId id, std::size_t buffer);

  // A buffer with no value: scratch memory, an intermediate result.
  std::size_t AddBuffer(std::size_t row_bytes);

  const BufferLayout& layout(std::size_t buffer) const {
    return buffers_[buffer];
  }
  // Elements of 4 bytes from one row of `buffer` to the next.
  std::size_t FloatStride(std::size_t buffer) const;

  // Appends a step that reads or writes `buffers` and no others.
  void AddStep(std::unique_ptr<const Step> step,
               const std::vector<std::size_t>& buffers);

  // Keeps the content of `buffer` for the whole run (an input), or from its
  // first use to the end (an output).
  void KeepAlways(std::size_t buffer);
  void KeepToEnd(std::size_t buffer);

  // Of all steps so far, as they were added.
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
  const Graph& graph_;
  std::vector<std::size_t> buffer_of_value_;
  std::vector<BufferLayout> buffers_;
  std::vector<Lifetime> lifetimes_;  // By buffer.
  std::vector<std::unique_ptr<const Step>> steps_;
  std::size_t constant_bytes_ = 0;
};

}  // namespace relu

#endif  // CORE_PLAN_PLAN_BUILDER_H_
