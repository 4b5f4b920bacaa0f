#include <cmath>
#include <cstddef>

#include "core/kernels/kernels.h"

namespace relu::kernels {

void DenseReference(const PackedDense& layer, const DenseRows& rows) {
  for (std::size_t i = 0; i < rows.m; ++i) {
    const float* const input = rows.input + i * rows.input_stride;
    float* const output = rows.output + i * rows.output_stride;
    for (std::size_t j = 0; j < layer.n; ++j) {
      const float* const panel =
          layer.weights + j / kPanelColumns * layer.k * kPanelColumns;
      const std::size_t column = j % kPanelColumns;
      float chain = layer.bias[j];
      for (std::size_t k = 0; k < layer.k; ++k) {
        chain = std::fma(input[k], panel[k * kPanelColumns + column], chain);
      }
      chain += 0.0F;
      const bool cut = layer.activation == Activation::kRelu && chain < 0.0F;
      output[j] = cut ? 0.0F : chain;
    }
  }
}

}  // namespace relu::kernels
