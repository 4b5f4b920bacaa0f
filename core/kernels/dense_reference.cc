#include <array>
#include <cmath>
#include <cstddef>

#include "core/kernels/kernels.h"

namespace relu::kernels {
namespace {

float Activate(float sum, Activation activation) {
  sum += 0.0F;
  const bool cut = activation == Activation::kRelu && sum < 0.0F;
  return cut ? 0.0F : sum;
}

float PanelSum(const PackedDense& layer, const float* input, std::size_t j) {
  const float* const panel =
      layer.weights +
      j / kPanelColumns * (layer.k + layer.other_inputs) * kPanelColumns;
  float chain = layer.bias[j];
  for (std::size_t k = 0; k < layer.k; ++k) {
    chain =
        std::fma(input[k], panel[k * kPanelColumns + j % kPanelColumns], chain);
  }
  return chain;
}

float NarrowSum(const PackedDense& layer, const float* input, std::size_t j) {
  const float* const weights = layer.weights + j * NarrowDepth(layer.k);
  std::array<float, kNarrowChains> chains{};
  for (std::size_t k = 0; k < layer.k; ++k) {
    float& chain = chains[k % kNarrowChains];
    chain = std::fma(input[k], weights[k], chain);
  }
  for (std::size_t half = kNarrowChains / 2; half > 0; half /= 2) {
    for (std::size_t c = 0; c < half; ++c) {
      chains[c] += chains[c + half];
    }
  }
  return layer.bias[j] + chains[0];
}

}  // namespace

void DenseReference(const PackedDense& layer, const DenseRows& rows) {
  const auto sum = layer.layout == Layout::kNarrow ? &NarrowSum : &PanelSum;
  for (std::size_t i = 0; i < rows.m; ++i) {
    const float* const input = rows.input + i * rows.input_stride;
    for (std::size_t j = 0; j < layer.n; ++j) {
      rows.output[i * rows.output_stride + j] =
          Activate(sum(layer, input, j), layer.activation);
    }
  }
}

}  // namespace relu::kernels
