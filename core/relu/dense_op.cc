#include "core/relu/dense_op.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"
#include "core/plan/dense_layer.h"

namespace relu {
namespace {

// Up to this part of the inputs, walking the rows of the weights of those that
// are not zero is faster (Zen 3: break-even at 0.75 to 0.9).
constexpr double kSparse = 0.6;

std::size_t WeightBytes(std::size_t k, std::size_t n) {
  return RoundUp(kernels::PackedWeightsSize(k, n) * sizeof(float),
                 kBufferAlignment);
}

// Layers whose weights stay in the first cache gain nothing.
bool SkipsZeros(std::size_t k, std::size_t n) {
  constexpr std::size_t kFewestWeights = 1 << 14;
  return kernels::LayoutOf(k, n) == kernels::Layout::kPanels &&
         k * n >= kFewestWeights;
}

std::size_t RowBytes(std::size_t k, std::size_t n) {
  return SkipsZeros(k, n) ? k * kernels::RowStride(n) * sizeof(float) : 0;
}

std::size_t BiasBytes(std::size_t n) {
  return RoundUp(kernels::PackedBiasSize(n) * sizeof(float), kBufferAlignment);
}

// Of one layer of this shape, in both layouts.
std::size_t PackedBytes(std::size_t k, std::size_t n) {
  return WeightBytes(k, n) + RowBytes(k, n) + BiasBytes(n);
}

// Packs into the front of `memory`, which afterwards begins with the bias.
kernels::PackedDense Pack(std::size_t k, std::size_t n,
                          const std::vector<float>& weights,
                          std::span<float>& memory) {
  kernels::PackedDense packed{.k = k,
                              .n = n,
                              .layout = kernels::LayoutOf(k, n),
                              .weights = memory.data(),
                              .row_stride = kernels::RowStride(n)};
  kernels::PackWeights(k, n, weights.data(), memory.data());
  memory = memory.subspan(WeightBytes(k, n) / sizeof(float));
  if (RowBytes(k, n) > 0) {
    packed.row_weights = memory.data();
    kernels::PackRowWeights(k, n, weights.data(), memory.data());
    memory = memory.subspan(RowBytes(k, n) / sizeof(float));
  }
  packed.bias = memory.data();
  return packed;
}

// From row-major [rows, columns] to row-major [columns, rows].
std::vector<float> Transposed(const std::vector<float>& matrix,
                              std::size_t rows, std::size_t columns) {
  std::vector<float> transposed(matrix.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      transposed[j * rows + i] = matrix[i * columns + j];
    }
  }
  return transposed;
}

// Whether this was a vector to skip zeros of; then its output is there.
bool RunSparse(const kernels::PackedDense& layer, const float* input,
               SparseRoom& room, float* output) {
  if (layer.row_weights == nullptr) {
    return false;
  }
  const auto most =
      static_cast<std::size_t>(static_cast<double>(layer.k) * kSparse);
  if (kernels::CountNonZeros(layer.k, input) > most) {
    return false;
  }
  kernels::DenseSparse(
      layer,
      kernels::ListNonZeros(layer.k, input, room.indices.data(),
                            room.values.data()),
      room.sums.As<float>().data(), output);
  return true;
}

// Bits of floats without their sign have the order of the floats; the maximum
// of integers, other than that of floats, is one that compilers vectorise.
float LargestSize(std::span<const float> values) {
  std::int32_t largest = 0;
  for (const float value : values) {
    const std::int32_t size = std::bit_cast<std::int32_t>(value) & 0x7FFFFFFF;
    largest = size > largest ? size : largest;
  }
  return std::bit_cast<float>(largest);
}

}  // namespace

DenseOp::DenseOp(const DenseLayer& layer, const Slot& in, const Slot& out)
    : input(in),
      output(out),
      vectors(layer.vectors_per_row),
      weight_rounding(layer.n),
      bias_rounding(layer.n),
      memory_(PackedBytes(layer.k, layer.n) + PackedBytes(layer.n, layer.k)) {
  const auto [k, n] = std::pair(layer.k, layer.n);
  std::span<float> memory = memory_.As<float>();
  forward = Pack(k, n, layer.weights, memory);
  std::ranges::copy(layer.bias, memory.data());  // Where Pack() has left off.
  memory = memory.subspan(BiasBytes(n) / sizeof(float));
  backward = Pack(n, k, Transposed(layer.weights, k, n), memory);
  // At most how far a sum of k products and a bias in float32 can be from the
  // exact one, in whatever order it is taken (Higham, Accuracy and Stability of
  // Numerical Algorithms, 3.1): gamma times the sum of the sizes.
  const double unit = (static_cast<double>(k) + 2.0) * 0x1p-24;
  const auto gamma = static_cast<float>(unit / (1.0 - unit));
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    weight_rounding[i % n] += gamma * std::abs(layer.weights[i]);
  }
  for (std::size_t j = 0; j < n; ++j) {
    bias_rounding[j] = gamma * std::abs(layer.bias[j]);
  }
}

SparseRoom::SparseRoom(std::size_t most) {
  if (most > 0) {
    sums = AlignedBuffer(kernels::PackedBiasSize(most) * sizeof(float));
    indices.resize(most + kernels::kSparseRowPadding);
    values.resize(most + kernels::kSparseRowPadding);
  }
}

void RunDense(const kernels::PackedDense& layer, std::size_t vectors,
              const FloatRows& rows, const float* input, SparseRoom& room,
              float* output) {
  for (std::size_t i = 0; i < vectors; ++i) {
    const float* from = input + i * layer.k;
    float* to = output + i * layer.n;
    // The rows at the front that have many zeros, then the rest at once.
    std::size_t rest = rows.rows;
    while (rest > 0 && RunSparse(layer, from, room, to)) {
      from += rows.stride;
      to += rows.stride;
      --rest;
    }
    if (rest > 0) {
      kernels::Dense(layer, {.m = rest,
                             .input = from,
                             .input_stride = rows.stride,
                             .output = to,
                             .output_stride = rows.stride});
    }
  }
}

float LargestInput(const DenseOp& op, const float* row, std::size_t vector) {
  const std::size_t k = op.forward.k;
  return LargestSize({row + op.input.offset + vector * k, k});
}

}  // namespace relu
