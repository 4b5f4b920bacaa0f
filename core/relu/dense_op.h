// DenseOp: a fully connected layer of a PiecewiseNetwork, forwards and
// backwards.

#ifndef CORE_RELU_DENSE_OP_H_
#define CORE_RELU_DENSE_OP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"
#include "core/plan/dense_layer.h"
#include "core/relu/scratch_floats.h"

namespace relu {

// Where a value lies among the floats of one row.
struct Slot {
  std::size_t offset = 0;
  std::size_t size = 0;
};

// A fully connected layer. Weights are packed as the server packs them, so its
// sums are the same to the bit; and once more transposed, for the way back.
// Inputs that are zero, and derivatives that a Relu has made zero, are skipped
// where there are many: that changes no bit.
class DenseOp {
 public:
  // The activation of `layer` is another operation.
  DenseOp(const DenseLayer& layer, const Slot& input, const Slot& output);

  std::string node;  // Of the graph: the name of the Gemm or MatMul.
  Slot input;
  Slot output;
  // How many vectors of k values the input has.
  std::size_t vectors = 1;
  kernels::PackedDense forward;   // Point into memory_.
  kernels::PackedDense backward;  // The transpose; its bias is zero.
  // By output j: with inputs of at most `size`, its sum in float32 is at most
  // size * weight_rounding[j] + bias_rounding[j] off.
  std::vector<float> weight_rounding;
  std::vector<float> bias_rounding;
  // No operation that runs later reads the input: backward() comes first.
  bool last_reader = true;

  std::size_t bytes() const { return memory_.size(); }
  bool skips_zeros() const {
    return forward.row_weights != nullptr || backward.row_weights != nullptr;
  }

 private:
  AlignedBuffer memory_;
};

// Memory for the lists of rows that are not zero at few places. For one thread
// at a time.
class SparseRoom {
 public:
  // For layers of so many inputs and outputs at most; 0: none skips zeros.
  // Lists of up to `rows` rows, or kMostRows, are there at the same time.
  SparseRoom(std::size_t most, std::size_t rows);

  static constexpr std::size_t kMostRows = 16;
  std::size_t rows() const { return rows_; }
  float* sums() { return floats_.data(); }
  float* values() { return floats_.data() + kernels::PackedBiasSize(most_); }
  std::uint32_t* indices() { return indices_.get(); }

 private:
  std::size_t most_;
  std::size_t rows_;
  ScratchFloats floats_;  // The sums, then the values.
  std::unique_ptr<std::uint32_t[]> indices_;
};

// Rows of floats, the next one `stride` on.
struct FloatRows {
  std::size_t rows = 0;
  std::size_t stride = 0;
};

// output = weights * input + bias for `vectors` vectors, one after the other,
// in each row.
void RunDense(const kernels::PackedDense& layer, std::size_t vectors,
              const FloatRows& rows, const float* input, SparseRoom& room,
              float* output);

// The largest size of an input of vector `vector`, in one row of the network.
float LargestInput(const DenseOp& op, const float* row, std::size_t vector);

}  // namespace relu

#endif  // CORE_RELU_DENSE_OP_H_
