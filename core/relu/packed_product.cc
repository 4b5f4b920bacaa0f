#include "core/relu/packed_product.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "core/kernels/kernels.h"
#include "core/tensor/float16.h"

namespace relu {
namespace {

constexpr std::size_t kColumns = kernels::kPanelColumns;

// Where the weight of input `i` for output `j` is.
std::size_t PlaceOf(const kernels::PackedDense& layer, std::size_t i,
                    std::size_t j) {
  return layer.layout == kernels::Layout::kNarrow
             ? j * kernels::NarrowDepth(layer.k) + i
             : (j / kColumns * layer.k + i) * kColumns + j % kColumns;
}

float WeightAt(const kernels::PackedDense& layer, std::size_t i,
               std::size_t j) {
  return layer.weights[PlaceOf(layer, i, j)];
}

}  // namespace

void AddProduct(const kernels::PackedDense& layer, const double* input,
                double* output) {
  if (layer.layout == kernels::Layout::kNarrow) {
    for (std::size_t j = 0; j < layer.n; ++j) {
      for (std::size_t i = 0; i < layer.k; ++i) {
        output[j] += input[i] * double{WeightAt(layer, i, j)};
      }
    }
    return;
  }
  for (std::size_t first = 0; first < layer.n; first += kColumns) {
    const float* const panel = layer.weights + first * layer.k;
    std::array<double, kColumns> sums{};
    for (std::size_t i = 0; i < layer.k; ++i) {
      for (std::size_t j = 0; j < kColumns; ++j) {
        sums[j] += input[i] * double{panel[i * kColumns + j]};
      }
    }
    const std::size_t columns = std::min(kColumns, layer.n - first);
    for (std::size_t j = 0; j < columns; ++j) {
      output[first + j] += sums[j];
    }
  }
}

std::vector<double> UnpackWeights(const kernels::PackedDense& layer) {
  std::vector<double> weights(layer.k * layer.n);
  for (std::size_t i = 0; i < layer.k; ++i) {
    for (std::size_t j = 0; j < layer.n; ++j) {
      weights[i * layer.n + j] = double{WeightAt(layer, i, j)};
    }
  }
  return weights;
}

std::vector<double> UnpackColumn(const kernels::PackedDense& layer,
                                 std::size_t j) {
  std::vector<double> weights(layer.k);
  for (std::size_t i = 0; i < layer.k; ++i) {
    const std::size_t place = PlaceOf(layer, i, j);
    weights[i] = layer.half_weights == nullptr
                     ? double{layer.weights[place]}
                     : double{Fp16ToFloat(layer.half_weights[place])};
  }
  return weights;
}

}  // namespace relu
