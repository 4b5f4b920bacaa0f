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
#include <cstdint>
#include <span>

namespace relu::kernels {

// Columns of one panel of packed weights. A multiple of every lane count that
// we use, so that one layout serves all instruction sets.
inline constexpr std::size_t kPanelColumns = 16;

// What is applied to each output before it is stored.
enum class Activation { kIdentity, kRelu };

// How the weights of a layer lie in memory and, with it, in which order their
// products are added.
enum class Layout {
  // [ceil(n/16)][k][16]: panels of 16 columns, k-major, zero-padded. Each
  // output is one chain.
  kPanels,
  // [n][NarrowDepth(k)]: column by column, zero-padded. Each output is
  // kNarrowChains chains.
  kNarrow,
};

// Chains of one output of a narrow layer. A multiple of every lane count.
inline constexpr std::size_t kNarrowChains = 16;

// The layout of a layer of this shape. In panels, few outputs leave most lanes
// without work; a row alone waits for their chain. (Zen 3, times as fast as
// panels with 1 row and with 16: 32 -> 1 2.3 and 2.2, 64 -> 4 2.6 and 1.4,
// 64 -> 8 1.6 and 0.9, 512 -> 10 2.8 and 1.1. With more outputs it is slower
// with 16 rows, with fewer inputs with one row too.)
constexpr Layout LayoutOf(std::size_t k, std::size_t n) {
  return n < 16 && 8 * n <= k ? Layout::kNarrow : Layout::kPanels;
}

// The weights of one dense layer, packed. Both arrays are 64-byte aligned and
// belong to the compiled model.
struct PackedDense {
  std::size_t k = 0;                // Input features, 0 or more.
  std::size_t n = 0;                // Output features, 1 or more.
  Layout layout = Layout::kPanels;  // LayoutOf() the whole layer.
  const float* weights = nullptr;
  // [ceil(n/16) * 16], zero-padded.
  const float* bias = nullptr;
  Activation activation = Activation::kIdentity;
  // [k], `row_stride` weights apart: the weights once more, row by row, for
  // DenseSparse() alone; nullptr if it is not used.
  const float* row_weights = nullptr;
  std::size_t row_stride = 0;  // RowStride() of the whole layer.
  // Inputs that the panels have beside these k: InputsOf() leaves them out.
  std::size_t other_inputs = 0;
  // If half_weights is set, these take the place of `weights` and `row_weights`
  // and lie like them: IEEE binary16, widened (exactly) when they are used.
  const std::uint16_t* half_weights = nullptr;
  const std::uint16_t* half_row_weights = nullptr;
};

// Panels of a layer with n outputs; the last may be partial.
constexpr std::size_t PanelCount(std::size_t n) {
  return (n + kPanelColumns - 1) / kPanelColumns;
}

// The inputs of a narrow layer with its padding.
constexpr std::size_t NarrowDepth(std::size_t k) {
  return (k + kNarrowChains - 1) / kNarrowChains * kNarrowChains;
}

// The columns of `panels` >= 1 panels of `layer`, from panel `first` on, as a
// layer of its own that shares the memory. Their output is as many columns on.
// For layers in panels.
PackedDense PanelsOf(const PackedDense& layer, std::size_t first,
                     std::size_t panels);

// `count` inputs of `layer`, from input `first` on, as a layer of its own that
// shares the memory, the bias too. For layers in panels. Output j of a layer is
// one chain, so the bits are the same if the outputs of the first inputs, not
// activated, become the bias of the inputs after them: only the sign of a zero
// may be lost on the way, and that of an output is + in any case.
PackedDense InputsOf(const PackedDense& layer, std::size_t first,
                     std::size_t count);

// Weights that the packed layer, and floats that the padded bias of a k x n
// layer takes.
std::size_t PackedWeightsSize(std::size_t k, std::size_t n);
std::size_t PackedBiasSize(std::size_t n);

// Weights from one row of PackedDense::row_weights to the next. One line more
// than the columns take: rows a power of two apart would share the sets of the
// caches.
constexpr std::size_t RowStride(std::size_t n) {
  return (PanelCount(n) + 1) * kPanelColumns;
}

// Packs row-major weights [k, n] into `packed`, PackedWeightsSize(k, n) of
// them, as LayoutOf(k, n) says. Weight is float or std::uint16_t.
template <typename Weight>
void PackWeights(std::size_t k, std::size_t n, const Weight* weights,
                 Weight* packed);
// The same into the layout of row_weights, k * RowStride(n) of them.
template <typename Weight>
void PackRowWeights(std::size_t k, std::size_t n, const Weight* weights,
                    Weight* packed);

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
//
// For a narrow layer, output[i][j] = act(bias[j] + sum), where sum is that of
// 16 such chains: chain c starts at 0 and takes k = c, c + 16, c + 32 and so
// on. Then chains 8 to 15 are added to chains 0 to 7, of these the upper four
// to the lower four, and so on to the last.
void Dense(const PackedDense& layer, const DenseRows& rows);

// The function that Dense() calls for this layer: for those who call it often.
using DenseFunction = void (*)(const PackedDense& layer, const DenseRows& rows);
DenseFunction DenseFunctionOf(const PackedDense& layer);

// The same by definition, in plain scalar code: what tests hold Dense() to. Of
// `weights` only, not of half_weights.
void DenseReference(const PackedDense& layer, const DenseRows& rows);

// The inputs of one row that are not zero, in ascending order.
struct SparseRow {
  std::size_t count = 0;
  const std::uint32_t* indices = nullptr;
  const float* values = nullptr;
};

// Room that both lists of a SparseRow have beyond the most entries they hold.
inline constexpr std::size_t kSparseRowPadding = 16;

// How many of `k` inputs are not zero. NaN is not.
std::size_t CountNonZeros(std::size_t k, const float* input);

// Lists the inputs that are not zero, with their indices; k < 2^32. Both arrays
// have room for k + kSparseRowPadding elements.
SparseRow ListNonZeros(std::size_t k, const float* input,
                       std::uint32_t* indices, float* values);

// Dense() for one row of which only `row` is not zero, for layers in panels.
// `sums` is scratch memory for PackedBiasSize(n) floats, 64-byte aligned. The
// same bits as Dense() gives for finite weights: adding zero changes no chain,
// but maybe the sign of a zero, which is +0 at the end.
void DenseSparse(const PackedDense& layer, const SparseRow& row, float* sums,
                 float* output);

// The same for several rows, which take some columns of the weights in turn
// while these are in the cache. Row i of the output starts at output + i *
// output_stride.
void DenseSparseRows(const PackedDense& layer, std::span<const SparseRow> rows,
                     float* output, std::size_t output_stride);

// The instruction set that this CPU runs the kernels with, in the words of
// Highway: "AVX3" (AVX-512), "AVX2", "NEON", or "SCALAR" for portable code.
const char* InstructionSet();

}  // namespace relu::kernels

#endif  // CORE_KERNELS_KERNELS_H_
