#include "core/plan/dense_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"
#include "core/plan/dense_layer.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/workspace.h"

namespace relu {
namespace {

// A buffer of float32 values.
struct FloatBuffer {
  std::size_t index = 0;
  std::size_t stride = 0;  // Elements from row to row.
};

class DenseStep : public Step {
 public:
  DenseStep(const DenseLayer& layer, FloatBuffer input, FloatBuffer output)
      : weights_(kernels::PackedWeightsSize(layer.k, layer.n) * sizeof(float)),
        bias_(kernels::PackedBiasSize(layer.n) * sizeof(float)),
        vectors_per_row_(layer.vectors_per_row),
        input_(input),
        output_(output) {
    kernels::PackWeights(layer.k, layer.n, layer.weights.data(),
                         weights_.As<float>().data());
    std::ranges::copy(layer.bias, bias_.As<float>().begin());
    packed_ = {.k = layer.k,
               .n = layer.n,
               .weights = weights_.As<float>().data(),
               .bias = bias_.As<float>().data(),
               .activation = layer.activation};
  }

  void Run(RowRange rows, Workspace& workspace) const override {
    const auto m = static_cast<std::size_t>(rows.size());
    const auto* input = workspace.Row<const float>(input_.index, rows.begin);
    auto* output = workspace.Row<float>(output_.index, rows.begin);
    // Any order of the vectors gives the same bits: have few, large calls.
    if (m >= vectors_per_row_) {
      for (std::size_t i = 0; i < vectors_per_row_; ++i) {
        kernels::Dense(packed_, {.m = m,
                                 .input = input + i * packed_.k,
                                 .input_stride = input_.stride,
                                 .output = output + i * packed_.n,
                                 .output_stride = output_.stride});
      }
      return;
    }
    for (std::size_t i = 0; i < m; ++i) {
      kernels::Dense(packed_, {.m = vectors_per_row_,
                               .input = input + i * input_.stride,
                               .input_stride = packed_.k,
                               .output = output + i * output_.stride,
                               .output_stride = packed_.n});
    }
  }

  std::string Describe() const override {
    std::string text = fmt::format("dense {} -> {}", packed_.k, packed_.n);
    if (packed_.activation == kernels::Activation::kRelu) {
      text += ", relu";
    }
    if (vectors_per_row_ > 1) {
      text += fmt::format(", {} vectors a row", vectors_per_row_);
    }
    return text;
  }

  std::size_t constant_bytes() const override {
    return weights_.size() + bias_.size();
  }

 private:
  AlignedBuffer weights_;
  AlignedBuffer bias_;
  kernels::PackedDense packed_;  // Points into weights_ and bias_.
  std::size_t vectors_per_row_;
  FloatBuffer input_;
  FloatBuffer output_;
};

}  // namespace

void LowerDense(const DenseLayer& layer, PlanBuilder& plan) {
  const std::size_t input = plan.BufferOf(layer.input);
  const std::size_t output = plan.Define(layer.output);
  plan.AddStep(
      std::make_unique<DenseStep>(
          layer, FloatBuffer{.index = input, .stride = plan.FloatStride(input)},
          FloatBuffer{.index = output, .stride = plan.FloatStride(output)}),
      {input, output});
}

}  // namespace relu
