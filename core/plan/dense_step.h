// The step that computes a dense layer.

#ifndef CORE_PLAN_DENSE_STEP_H_
#define CORE_PLAN_DENSE_STEP_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/kernels/kernels.h"
#include "core/plan/compile_options.h"
#include "core/plan/dense_layer.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/weight_memory.h"
#include "core/plan/zero_skip.h"

namespace relu {

class DenseStep : public Step {
 public:
  // Float32 values, the rows so many elements apart.
  struct FloatBuffer {
    std::size_t index = 0;
    std::size_t stride = 0;
  };
  struct Buffers {
    FloatBuffer input;
    FloatBuffer output;
  };

  // What a layer takes of the WeightMemory for weights, and of that for rows.
  static std::size_t PackedBytes(const DenseLayer& layer,
                                 WeightStorage storage);
  static std::size_t PackedRowsBytes(const DenseLayer& layer,
                                     WeightStorage storage);

  // Packs the weights and the bias into `memory` and, where zeros can be
  // skipped and `row_memory` is not null, the weights once more into that, as
  // this needs them. Both outlive the step.
  DenseStep(const DenseLayer& layer, WeightStorage storage,
            const Buffers& buffers, WeightMemory& memory,
            WeightMemory* row_memory);

  const kernels::PackedDense& packed() const { return packed_; }

  // How the zeros of the inputs are skipped: not at all, until it is called.
  void SetZeroSkip(const ZeroSkipLimits& limits);
  bool SkipsZeros() const { return zero_skip_.MaxEntries(1) > 0; }

  // What it has of the memory for rows. MoveRows() moves it to another, or
  // gives it up if zeros are not skipped.
  std::size_t row_bytes() const { return row_weights_.size(); }
  void MoveRows(WeightMemory& row_memory);

  void Run(RowRange rows, Workspace& workspace) const override;
  std::size_t column_shares() const override;
  void RunColumns(RowRange rows, ColumnShare share,
                  Workspace& workspace) const override;
  std::size_t scratch_bytes() const override;
  std::string Describe() const override;
  std::size_t constant_bytes() const override;

 private:
  template <typename Weight>
  void Pack(const DenseLayer& layer, const std::vector<Weight>& weights,
            WeightMemory* row_memory);
  // Tells packed_ where weights_ and row_weights_ are.
  void Point();

  // Each computes `part`, which is columns or inputs of packed_, for `rows`.
  // The columns of `part` begin with column `column` of the layer.
  void RunPart(const kernels::PackedDense& part, std::size_t column,
               RowRange rows, Workspace& workspace) const;
  // Rows that have features in common: those that come first are added once.
  void RunAlike(const kernels::PackedDense& part,
                const kernels::DenseRows& rows, std::byte* scratch) const;
  void RunAny(const kernels::PackedDense& part, const kernels::DenseRows& rows,
              std::byte* scratch) const;
  void RunDense(const kernels::PackedDense& part,
                const kernels::DenseRows& rows) const;
  void RunSparse(const kernels::PackedDense& part,
                 const kernels::DenseRows& rows, std::byte* scratch) const;
  // Whether the rows have so many zeros that these are better skipped.
  bool HasEnoughZeros(const kernels::PackedDense& part,
                      const kernels::DenseRows& rows) const;

  // In memory of the model.
  std::span<std::byte> bias_;
  std::span<std::byte> weights_;
  std::span<std::byte> row_weights_;
  WeightStorage storage_;
  kernels::PackedDense packed_;             // Points into the three.
  kernels::DenseFunction dense_ = nullptr;  // For packed_ and its parts.
  std::size_t vectors_per_row_;
  bool is_one_chain_;  // Each output is, of one vector a row.
  Buffers buffers_;
  ZeroSkipLimits zero_skip_ = ZeroSkipLimits::Never();
};

// Adds the layer's step, which belongs to the plan. The layer has outputs.
// INVALID_ARGUMENT if its weights cannot be stored so.
absl::StatusOr<DenseStep*> LowerDense(const DenseLayer& layer,
                                      WeightStorage storage, PlanBuilder& plan,
                                      WeightMemory& memory,
                                      WeightMemory* row_memory);

}  // namespace relu

#endif  // CORE_PLAN_DENSE_STEP_H_
