#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/kernels/kernels.h"

namespace relu::kernels {
namespace {

template <typename Weight>
void PackNarrow(std::size_t k, std::size_t n, const Weight* weights,
                Weight* packed) {
  for (std::size_t column = 0; column < n; ++column) {
    for (std::size_t i = 0; i < k; ++i) {
      packed[i] = weights[i * n + column];
    }
    std::fill(packed + k, packed + NarrowDepth(k), Weight{0});
    packed += NarrowDepth(k);
  }
}

// nullptr stays nullptr.
template <typename Weight>
const Weight* Advance(const Weight* weights, std::size_t count) {
  return weights == nullptr ? nullptr : weights + count;
}

}  // namespace

std::size_t PackedWeightsSize(std::size_t k, std::size_t n) {
  return LayoutOf(k, n) == Layout::kNarrow ? n * NarrowDepth(k)
                                           : PanelCount(n) * k * kPanelColumns;
}

std::size_t PackedBiasSize(std::size_t n) {
  return PanelCount(n) * kPanelColumns;
}

PackedDense PanelsOf(const PackedDense& layer, std::size_t first,
                     std::size_t panels) {
  const std::size_t column = first * kPanelColumns;
  const std::size_t weights = column * (layer.k + layer.other_inputs);
  PackedDense part = layer;
  part.n = std::min(layer.n - column, panels * kPanelColumns);
  part.bias += column;
  part.weights = Advance(layer.weights, weights);
  part.row_weights = Advance(layer.row_weights, column);
  part.half_weights = Advance(layer.half_weights, weights);
  part.half_row_weights = Advance(layer.half_row_weights, column);
  return part;
}

PackedDense InputsOf(const PackedDense& layer, std::size_t first,
                     std::size_t count) {
  const std::size_t weights = first * kPanelColumns;
  const std::size_t rows = first * layer.row_stride;
  PackedDense part = layer;
  part.k = count;
  part.other_inputs = layer.other_inputs + layer.k - count;
  part.weights = Advance(layer.weights, weights);
  part.row_weights = Advance(layer.row_weights, rows);
  part.half_weights = Advance(layer.half_weights, weights);
  part.half_row_weights = Advance(layer.half_row_weights, rows);
  return part;
}

template <typename Weight>
void PackWeights(std::size_t k, std::size_t n, const Weight* weights,
                 Weight* packed) {
  if (LayoutOf(k, n) == Layout::kNarrow) {
    return PackNarrow(k, n, weights, packed);
  }
  for (std::size_t column = 0; column < n; column += kPanelColumns) {
    const std::size_t columns = std::min(n - column, kPanelColumns);
    for (std::size_t i = 0; i < k; ++i) {
      std::copy_n(weights + i * n + column, columns, packed);
      std::fill(packed + columns, packed + kPanelColumns, Weight{0});
      packed += kPanelColumns;
    }
  }
}

template <typename Weight>
void PackRowWeights(std::size_t k, std::size_t n, const Weight* weights,
                    Weight* packed) {
  for (std::size_t i = 0; i < k; ++i) {
    Weight* const row = packed + i * RowStride(n);
    std::copy_n(weights + i * n, n, row);
    std::fill(row + n, row + RowStride(n), Weight{0});
  }
}

template void PackWeights(std::size_t, std::size_t, const float*, float*);
template void PackWeights(std::size_t, std::size_t, const std::uint16_t*,
                          std::uint16_t*);
template void PackRowWeights(std::size_t, std::size_t, const float*, float*);
template void PackRowWeights(std::size_t, std::size_t, const std::uint16_t*,
                             std::uint16_t*);

}  // namespace relu::kernels
