#include "tests/benchmark/random_layers.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"

namespace relu::benchmarks {
namespace {

constexpr std::size_t kCalibrationRows = 64;
constexpr std::uint32_t kRowSeed = 1;
constexpr std::uint32_t kLayerSeed = 2;

// sums[row][n] of `rows` rows by `layer`, without bias.
std::vector<float> Multiply(std::span<const float> rows, const Layer& layer) {
  std::vector<float> sums(kCalibrationRows * layer.n);
  for (std::size_t row = 0; row < kCalibrationRows; ++row) {
    float* const sum = sums.data() + row * layer.n;
    for (std::size_t k = 0; k < layer.k; ++k) {
      const float value = rows[row * layer.k + k];
      if (value == 0.0F) {
        continue;
      }
      const float* const weights = layer.weights.data() + k * layer.n;
      for (std::size_t n = 0; n < layer.n; ++n) {
        sum[n] += value * weights[n];
      }
    }
  }
  return sums;
}

float RootMeanSquare(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) {
    sum += static_cast<double>(value) * static_cast<double>(value);
  }
  return static_cast<float>(
      std::sqrt(sum / static_cast<double>(values.size())));
}

// The bias with which unit `n` is zero for the share `zeros` of the rows.
float BiasForZeros(std::span<const float> sums, std::size_t width,
                   std::size_t n, double zeros) {
  std::vector<float> column(kCalibrationRows);
  for (std::size_t row = 0; row < kCalibrationRows; ++row) {
    column[row] = sums[row * width + n];
  }
  std::ranges::sort(column);
  const auto zero_rows = static_cast<std::size_t>(
      std::lround(zeros * static_cast<double>(kCalibrationRows)));
  if (zero_rows == 0) {
    return 0.1F - column.front();
  }
  const float last_zero = column[zero_rows - 1];
  const float first_positive =
      column[std::min(zero_rows, kCalibrationRows - 1)];
  return -0.5F * (last_zero + first_positive);
}

Layer DrawLayer(std::size_t k, std::size_t n, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  Layer layer = {
      .k = k,
      .n = n,
      .weights = std::vector<float>(k * n),
      .bias = std::vector<float>(n),
  };
  std::ranges::generate(layer.weights, [&] { return uniform(random); });
  return layer;
}

}  // namespace

Tensor RandomRows(std::size_t rows, const RandomNetworkOptions& options) {
  std::mt19937 random(kRowSeed);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::bernoulli_distribution is_zero(options.input_zeros);
  Tensor tensor(DataType::kFp32,
                {static_cast<std::int64_t>(rows),
                 static_cast<std::int64_t>(options.sizes.front())});
  for (float& value : tensor.As<float>()) {
    const float drawn = uniform(random);
    value = is_zero(random) ? 0.0F : drawn;
  }
  return tensor;
}

std::vector<Layer> RandomLayers(std::span<const float> inputs,
                                const RandomNetworkOptions& options) {
  std::mt19937 random(kLayerSeed);
  const auto first_rows = inputs.first(kCalibrationRows * options.sizes[0]);
  std::vector<float> rows(first_rows.begin(), first_rows.end());
  std::vector<Layer> layers;
  for (std::size_t i = 1; i < options.sizes.size(); ++i) {
    Layer& layer = layers.emplace_back(
        DrawLayer(options.sizes[i - 1], options.sizes[i], random));
    layer.relu = i + 1 < options.sizes.size();
    std::vector<float> sums = Multiply(rows, layer);
    const float scale = 1.0F / RootMeanSquare(sums);
    for (float& weight : layer.weights) {
      weight *= scale;
      if (options.half_precision_weights) {
        weight = Fp16ToFloat(FloatToFp16(weight));
      }
    }
    std::ranges::for_each(sums, [scale](float& sum) { sum *= scale; });
    for (std::size_t n = 0; layer.relu && n < layer.n; ++n) {
      layer.bias[n] = BiasForZeros(sums, layer.n, n, options.hidden_zeros);
    }
    for (std::size_t j = 0; j < sums.size(); ++j) {
      sums[j] = std::max(0.0F, sums[j] + layer.bias[j % layer.n]);
    }
    rows = std::move(sums);
  }
  return layers;
}

onnx::TensorProto HalfTensorProto(const std::string& name,
                                  const std::vector<std::int64_t>& dims,
                                  const std::vector<float>& values) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT16);
  tensor.mutable_dims()->Add(dims.begin(), dims.end());
  std::vector<std::uint16_t> halves(values.size());
  std::ranges::transform(values, halves.begin(), FloatToFp16);
  tensor.set_raw_data(halves.data(), halves.size() * sizeof(std::uint16_t));
  return tensor;
}

}  // namespace relu::benchmarks
