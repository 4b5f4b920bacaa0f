// CompiledModel: a network ready to run: constants folded, layers fused,
// weights packed. Compile() is slow and checks everything; Run() is fast and
// checks nothing.
//
// Nodes that have no step of their own, and graphs whose rows depend on each
// other, run through the interpreter of core/graph: slowly, and with memory
// taken for every value.
//
// Arithmetic is in float32. Values of type FP16 and BF16 are float32 inside of
// the plan: inputs are widened (exactly), outputs rounded once, at the end;
// intermediate values, and so a Cast to such a type, are not rounded. They are
// closer to the exact result than a run in half precision. Values of type FP64
// are float32 too: inputs are rounded, outputs widened.

#ifndef CORE_PLAN_COMPILED_MODEL_H_
#define CORE_PLAN_COMPILED_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/plan/activation_layers.h"
#include "core/plan/compile_options.h"
#include "core/plan/plan_report.h"
#include "core/plan/step.h"
#include "core/plan/weight_memory.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {

class DenseCostCache;
class ThreadTeam;
class Workspace;

// How the members of a team share a batch.
enum class Sharing : std::uint8_t {
  kAutomatic,  // As the next two, or not at all, by the sizes of both.
  kRows,       // For tests and benchmarks, as the next.
  kColumns,
};

// An input or output of a model, as clients see it.
struct TensorSignature {
  std::string name;
  DataType type = DataType::kFp32;
  // With the batch dimension: the number of rows, kBatchDim if any goes.
  Shape shape;
  // Which dimension of `shape` that is: the first, unless the model couples
  // rows. nullopt: none, the tensor is of one size however many rows there are.
  std::optional<std::size_t> row_axis = 0;
  // Without the batch dimension: the shape of one row, or of the tensor if it
  // has no batch dimension; and the bytes of that.
  Shape row_shape;
  std::size_t row_bytes = 0;

  // Of the whole tensor.
  std::size_t Bytes(std::int64_t rows) const {
    return row_axis ? row_bytes * static_cast<std::size_t>(rows) : row_bytes;
  }
};

// Immutable after Compile(): any number of threads may Run() it, each with a
// Workspace of its own.
class CompiledModel {
 public:
  // What is measured comes from `costs`, if that is given, or is added to it.
  // Errors, each naming the node and its operator:
  //   UNIMPLEMENTED     the plan cannot do it; with advice
  //   INVALID_ARGUMENT  a constant makes no sense: an index outside of its
  //                     dimension, a weight that overflows when scaled, or in
  //                     float16
  static absl::StatusOr<CompiledModel> Compile(
      const Graph& graph, const CompileOptions& options = {},
      DenseCostCache* costs = nullptr);

  const CompileOptions& options() const { return options_; }

  std::span<const TensorSignature> inputs() const { return inputs_; }
  std::span<const TensorSignature> outputs() const { return outputs_; }

  // The number of rows each request must have, or kBatchDim if any goes.
  std::int64_t fixed_rows() const { return fixed_rows_; }

  // True: rows depend on each other, so what Run() computes is one request,
  // whole; such models run through the interpreter. False: rows of different
  // requests may be joined, and a request split.
  bool couples_rows() const { return couples_rows_; }

  // False: there is no batch dimension; every request has one "row", which is
  // everything.
  bool has_batch_dim() const { return has_batch_dim_; }

  // Bytes that a workspace takes for each row.
  std::size_t workspace_row_bytes() const { return workspace_row_bytes_; }

  // Bytes of packed weights and constants.
  std::size_t weight_bytes() const { return weight_bytes_; }

  // Of the dense layers, for one row.
  std::size_t multiply_adds() const { return multiply_adds_; }

  // Computes `rows` rows, from the workspace's inputs to its outputs. Row i of
  // the outputs depends on row i of the inputs alone, unless the model couples
  // rows. 1 <= rows <=
  // workspace.max_rows(); the workspace was made for this model.
  void Run(std::int64_t rows, Workspace& workspace) const;

  // The same, to the bit, shared among the team, which has at most
  // workspace.threads() members: many rows are split, of few the columns of
  // each layer. What is too small to share runs on the calling thread alone.
  void Run(std::int64_t rows, Workspace& workspace, ThreadTeam& team,
           Sharing sharing = Sharing::kAutomatic) const;

  // What can be looked at while it runs, in the order of execution. None if
  // the model couples rows.
  std::span<const ActivationLayer> activations() const { return activations_; }

  // Called after each of them, with its number: its values of each row are
  // those of ActivationRow().
  using Observer = absl::FunctionRef<void(std::size_t activation)>;

  // Run(), to the bit, on the calling thread. Slower for many rows.
  void RunObserved(std::int64_t rows, Workspace& workspace,
                   Observer observer) const;

  // For an Observer: the neurons of one row. Other steps write over them.
  std::span<const float> ActivationRow(std::size_t activation, std::int64_t row,
                                       const Workspace& workspace) const;

  // What Run() does, one line a step, for people.
  std::string Describe() const;

  // The same with all that is known of it.
  const PlanReport& report() const { return report_; }

 private:
  friend class Compiler;
  friend class Workspace;

  void RunBlock(RowRange rows, Workspace& workspace) const;
  void RunRows(std::int64_t rows, Workspace& workspace, ThreadTeam& team) const;
  void RunColumns(std::int64_t rows, Workspace& workspace,
                  ThreadTeam& team) const;

  CompileOptions options_;
  std::vector<TensorSignature> inputs_;
  std::vector<TensorSignature> outputs_;
  WeightMemory weights_;      // Of all dense layers.
  WeightMemory row_weights_;  // The same for layers that skip zeros.
  std::vector<BufferLayout> buffers_;
  std::vector<std::size_t> input_buffers_;   // Index into buffers_, by input.
  std::vector<std::size_t> output_buffers_;  // Index into buffers_, by output.
  std::vector<std::unique_ptr<const Step>> steps_;
  std::vector<ActivationLayer> activations_;
  PlanReport report_;
  std::int64_t fixed_rows_ = kBatchDim;
  bool couples_rows_ = false;
  bool has_batch_dim_ = true;
  // Rows that go through all steps before the next ones do, at most.
  std::int64_t block_rows_ = std::numeric_limits<std::int64_t>::max();
  std::size_t weight_bytes_ = 0;
  std::size_t multiply_adds_ = 0;
  std::size_t workspace_row_bytes_ = 0;  // Of all buffers, for each row.
  std::size_t scratch_bytes_ = 0;        // Of the step that needs most.
};

}  // namespace relu

#endif  // CORE_PLAN_COMPILED_MODEL_H_
