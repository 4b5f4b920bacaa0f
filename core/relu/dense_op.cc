#include "core/relu/dense_op.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"
#include "core/kernels/value_range.h"
#include "core/plan/dense_layer.h"

namespace relu {
namespace {

// Up to this part of the inputs, walking the rows of the weights of those that
// are not zero is faster: of one row (Zen 3: break-even at 0.75 to 0.9), and of
// several, for which Dense() reads the weights once (0.2 to 0.4 with 4 to 16).
constexpr double kSparseAlone = 0.7;
constexpr double kSparse = 0.3;

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

// As many rows as `room` has lists for, of a layer that skips zeros.
void RunBlock(const kernels::PackedDense& layer, const kernels::DenseRows& rows,
              SparseRoom& room) {
  std::array<kernels::SparseRow, SparseRoom::kMostRows> lists;
  const double most = (rows.m == 1 ? kSparseAlone : kSparse) *
                      static_cast<double>(layer.k * rows.m);
  // Lists are made until there are too many entries: that takes little more
  // than to count.
  std::size_t entries = 0;
  for (std::size_t i = 0; i < rows.m && static_cast<double>(entries) <= most;
       ++i) {
    lists[i] = kernels::ListNonZeros(
        layer.k, rows.input + i * rows.input_stride, room.indices() + entries,
        room.values() + entries);
    entries += lists[i].count;
  }
  if (static_cast<double>(entries) > most) {
    kernels::Dense(layer, rows);
  } else if (rows.m == 1) {
    kernels::DenseSparse(layer, lists[0], room.sums(), rows.output);
  } else {
    kernels::DenseSparseRows(layer, std::span(lists).first(rows.m), rows.output,
                             rows.output_stride);
  }
}

// Elements of the lists of so many rows.
std::size_t ListsSize(std::size_t most, std::size_t rows) {
  return rows * most + kernels::kSparseRowPadding;
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

SparseRoom::SparseRoom(std::size_t most, std::size_t rows)
    : most_(most),
      rows_(std::min(rows, kMostRows)),
      floats_(most == 0
                  ? 0
                  : kernels::PackedBiasSize(most) + ListsSize(most, rows_)) {
  if (most > 0) {
    indices_ =
        std::make_unique_for_overwrite<std::uint32_t[]>(ListsSize(most, rows_));
  }
}

void RunDense(const kernels::PackedDense& layer, std::size_t vectors,
              const FloatRows& rows, const float* input, SparseRoom& room,
              float* output) {
  for (std::size_t i = 0; i < vectors; ++i) {
    const kernels::DenseRows vectors_of_rows{.m = rows.rows,
                                             .input = input + i * layer.k,
                                             .input_stride = rows.stride,
                                             .output = output + i * layer.n,
                                             .output_stride = rows.stride};
    if (layer.row_weights == nullptr) {
      kernels::Dense(layer, vectors_of_rows);
      continue;
    }
    kernels::DenseRows block = vectors_of_rows;
    for (std::size_t row = 0; row < rows.rows; row += block.m) {
      block.m = std::min(room.rows(), rows.rows - row);
      RunBlock(layer, block, room);
      block.input += block.m * rows.stride;
      block.output += block.m * rows.stride;
    }
  }
}

float LargestInput(const DenseOp& op, const float* row, std::size_t vector) {
  const std::size_t k = op.forward.k;
  return kernels::LargestSize(k, row + op.input.offset + vector * k);
}

}  // namespace relu
