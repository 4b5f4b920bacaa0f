#include <algorithm>
#include <cstddef>

#include "core/kernels/kernels.h"

namespace relu::kernels {

std::size_t PackedWeightsSize(std::size_t k, std::size_t n) {
  return PanelCount(n) * k * kPanelColumns;
}

std::size_t PackedBiasSize(std::size_t n) {
  return PanelCount(n) * kPanelColumns;
}

PackedDense PanelsOf(const PackedDense& layer, std::size_t first,
                     std::size_t panels) {
  const std::size_t column = first * kPanelColumns;
  PackedDense part = layer;
  part.n = std::min(layer.n - column, panels * kPanelColumns);
  part.weights += column * layer.k;
  part.bias += column;
  if (part.row_weights != nullptr) {
    part.row_weights += column;
  }
  return part;
}

void PackWeights(std::size_t k, std::size_t n, const float* weights,
                 float* packed) {
  for (std::size_t column = 0; column < n; column += kPanelColumns) {
    const std::size_t columns = std::min(n - column, kPanelColumns);
    for (std::size_t i = 0; i < k; ++i) {
      std::copy_n(weights + i * n + column, columns, packed);
      std::fill(packed + columns, packed + kPanelColumns, 0.0F);
      packed += kPanelColumns;
    }
  }
}

void PackRowWeights(std::size_t k, std::size_t n, const float* weights,
                    float* packed) {
  for (std::size_t i = 0; i < k; ++i) {
    float* const row = packed + i * RowStride(n);
    std::copy_n(weights + i * n, n, row);
    std::fill(row + n, row + RowStride(n), 0.0F);
  }
}

}  // namespace relu::kernels
