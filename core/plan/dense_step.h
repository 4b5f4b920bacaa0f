// The step that computes a dense layer.

#ifndef CORE_PLAN_DENSE_STEP_H_
#define CORE_PLAN_DENSE_STEP_H_

#include <cstddef>
#include <string>

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"
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
    // A row of it has room for the sums of DenseSparse(), then the values and
    // the indices of ListNonZeros().
    std::size_t sparse = 0;
  };

  // Packs the weights.
  DenseStep(const DenseLayer& layer, const Buffers& buffers);

  const kernels::PackedDense& packed() const { return packed_; }

  // How the zeros of the inputs are skipped: not at all, until it is called.
  // Gives back the memory of the weights that this needs if it is never.
  void SetZeroSkip(const ZeroSkipLimits& limits);

  void Run(RowRange rows, Workspace& workspace) const override;
  std::string Describe() const override;
  std::size_t constant_bytes() const override;

 private:
  // Returns false, and nothing is done, if the rows have too few zeros.
  bool RunSparse(RowRange rows, Workspace& workspace) const;

  AlignedBuffer weights_;
  AlignedBuffer row_weights_;
  AlignedBuffer bias_;
  kernels::PackedDense packed_;  // Points into the three buffers.
  std::size_t vectors_per_row_;
  Buffers buffers_;
  ZeroSkipLimits zero_skip_ = ZeroSkipLimits::Never();
};

// Adds the layer's step, which belongs to the plan. The layer has outputs.
DenseStep& LowerDense(const DenseLayer& layer, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_DENSE_STEP_H_
