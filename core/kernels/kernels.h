// The interface between the SIMD kernels of layers and the rest of the program;
// that of the others is core/kernels/elementwise.h.
//
// Matrices are row-major float32. Sizes count elements, not bytes. A function
// here never allocates, locks, throws or logs, and trusts its arguments: the
// compiler of the plan (core/plan) has checked them once, at load.
//
// Numeric contract: a result depends on the operands alone, to the bit. It is
// the same for every instruction set, number of rows and row position.

#ifndef CORE_KERNELS_KERNELS_H_
#define CORE_KERNELS_KERNELS_H_

#include <cstddef>

namespace relu::kernels {

// Columns of one panel of packed weights. A multiple of every lane count that
// we use, so that one layout serves all instruction sets.
inline constexpr std::size_t kPanelColumns = 16;

// What is applied to each output before it is stored.
enum class Activation { kIdentity, kRelu };

// The weights of one dense layer, packed. Both arrays are 64-byte aligned and
// belong to the compiled model.
struct PackedDense {
  std::size_t k = 0;  // Input features, 0 or more.
  std::size_t n = 0;  // Output features, 1 or more.
  // [ceil(n/16)][k][16]: panels of 16 columns, k-major, zero-padded.
  const float* weights = nullptr;
  // [ceil(n/16) * 16], zero-padded.
  const float* bias = nullptr;
  Activation activation = Activation::kIdentity;
};

// Panels of a layer with n outputs; the last may be partial.
constexpr std::size_t PanelCount(std::size_t n) {
  return (n + kPanelColumns - 1) / kPanelColumns;
}

// Floats that the packed weights and the padded bias of a k x n layer take.
std::size_t PackedWeightsSize(std::size_t k, std::size_t n);
std::size_t PackedBiasSize(std::size_t n);

// Packs row-major weights [k, n] into `packed`, PackedWeightsSize(k, n) floats.
void PackWeights(std::size_t k, std::size_t n, const float* weights,
                 float* packed);

// The rows a dense layer works on. Row i starts at input + i * input_stride and
// output + i * output_stride. Input and output must not overlap.
struct DenseRows {
  std::size_t m = 0;  // Rows, 1 or more.
  const float* input = nullptr;
  std::size_t input_stride = 0;
  float* output = nullptr;
  std::size_t output_stride = 0;
};

// output[i][j] = act(chain), where chain starts at bias[j] and takes
// fma(input[i][k], weights[k][j], chain) for k ascending: one chain of fused
// multiply-adds in float32. act(v) is v + 0.0f (which turns -0 into +0), and
// for kRelu then max(0, v), where NaN stays NaN. Exactly n columns are written.
void Dense(const PackedDense& layer, const DenseRows& rows);

// The same by definition, in plain scalar code: what tests hold Dense() to.
void DenseReference(const PackedDense& layer, const DenseRows& rows);

// The instruction set that this CPU runs the kernels with, in the words of
// Highway: "AVX3" (AVX-512), "AVX2", "NEON", or "SCALAR" for portable code.
const char* InstructionSet();

}  // namespace relu::kernels

#endif  // CORE_KERNELS_KERNELS_H_
