// The step that computes a dense layer.

#ifndef CORE_PLAN_DENSE_STEP_H_
#define CORE_PLAN_DENSE_STEP_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"
#include "core/plan/compile_options.h"
#include "core/plan/dense_layer.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
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

  // Packs the weights.
  DenseStep(const DenseLayer& layer, WeightStorage storage,
            const Buffers& buffers);

  const kernels::PackedDense& packed() const { return packed_; }

  // How the zeros of the inputs are skipped: not at all, until it is called.
  // Gives back the memory of the weights that this needs if it is never.
  void SetZeroSkip(const ZeroSkipLimits& limits);

  void Run(RowRange rows, Workspace& workspace) const override;
  std::size_t column_shares() const override;
  void RunColumns(RowRange rows, ColumnShare share,
                  Workspace& workspace) const override;
  std::size_t scratch_bytes() const override;
  std::string Describe() const override;
  std::size_t constant_bytes() const override;

 private:
  template <typename Weight>
  void Pack(const DenseLayer& layer, const std::vector<Weight>& weights);
  // The columns of `part`, a part of packed_ whose first is `column`.
  void RunDense(const kernels::PackedDense& part, std::size_t column,
                RowRange rows, Workspace& workspace) const;
  void RunSparse(const kernels::PackedDense& part, std::size_t column,
                 RowRange rows, Workspace& workspace) const;
  // Whether the rows have so many zeros that these are better skipped.
  bool HasEnoughZeros(RowRange rows, Workspace& workspace) const;

  AlignedBuffer weights_;
  AlignedBuffer row_weights_;
  AlignedBuffer bias_;
  kernels::PackedDense packed_;  // Points into the three buffers.
  std::size_t vectors_per_row_;
  Buffers buffers_;
  ZeroSkipLimits zero_skip_ = ZeroSkipLimits::Never();
};

// Adds the layer's step, which belongs to the plan. The layer has outputs.
// INVALID_ARGUMENT if its weights cannot be stored so.
absl::StatusOr<DenseStep*> LowerDense(const DenseLayer& layer,
                                      WeightStorage storage, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_DENSE_STEP_H_
