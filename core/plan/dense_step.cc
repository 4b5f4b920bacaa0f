#include "core/plan/dense_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/kernels/kernels.h"
#include "core/plan/dense_layer.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/workspace.h"

namespace relu {

DenseStep::DenseStep(const DenseLayer& layer, const Buffers& buffers)
    : weights_(kernels::PackedWeightsSize(layer.k, layer.n) * sizeof(float)),
      row_weights_(layer.k * kernels::RowStride(layer.n) * sizeof(float)),
      bias_(kernels::PackedBiasSize(layer.n) * sizeof(float)),
      vectors_per_row_(layer.vectors_per_row),
      buffers_(buffers) {
  kernels::PackWeights(layer.k, layer.n, layer.weights.data(),
                       weights_.As<float>().data());
  kernels::PackRowWeights(layer.k, layer.n, layer.weights.data(),
                          row_weights_.As<float>().data());
  std::ranges::copy(layer.bias, bias_.As<float>().begin());
  packed_ = {.k = layer.k,
             .n = layer.n,
             .weights = weights_.As<float>().data(),
             .bias = bias_.As<float>().data(),
             .activation = layer.activation,
             .row_weights = row_weights_.As<float>().data()};
}

void DenseStep::SetZeroSkip(const ZeroSkipLimits& limits) {
  zero_skip_ = limits;
  if (limits.MaxEntries(1) == 0 || vectors_per_row_ > 1) {
    zero_skip_ = ZeroSkipLimits::Never();
    row_weights_ = AlignedBuffer();
    packed_.row_weights = nullptr;
  }
}

void DenseStep::Run(RowRange rows, Workspace& workspace) const {
  if (RunSparse(rows, workspace)) {
    return;
  }
  const auto& [input, output, sparse] = buffers_;
  const auto m = static_cast<std::size_t>(rows.size());
  const auto* from = workspace.Row<const float>(input.index, rows.begin);
  auto* to = workspace.Row<float>(output.index, rows.begin);
  // Any order of the vectors gives the same bits: have few, large calls.
  if (m >= vectors_per_row_) {
    for (std::size_t i = 0; i < vectors_per_row_; ++i) {
      kernels::Dense(packed_, {.m = m,
                               .input = from + i * packed_.k,
                               .input_stride = input.stride,
                               .output = to + i * packed_.n,
                               .output_stride = output.stride});
    }
    return;
  }
  for (std::size_t i = 0; i < m; ++i) {
    kernels::Dense(packed_, {.m = vectors_per_row_,
                             .input = from + i * input.stride,
                             .input_stride = packed_.k,
                             .output = to + i * output.stride,
                             .output_stride = packed_.n});
  }
}

bool DenseStep::RunSparse(RowRange rows, Workspace& workspace) const {
  const std::size_t most =
      zero_skip_.MaxEntries(static_cast<std::size_t>(rows.size()));
  if (most == 0) {
    return false;
  }
  std::size_t count = 0;
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    count += kernels::CountNonZeros(
        packed_.k, workspace.Row<const float>(buffers_.input.index, row));
    if (count > most) {
      return false;
    }
  }
  const std::size_t room = packed_.k + kernels::kSparseRowPadding;
  auto* const sums = workspace.Row<float>(buffers_.sparse, rows.begin);
  float* const values = sums + kernels::PackedBiasSize(packed_.n);
  auto* const indices = reinterpret_cast<std::uint32_t*>(values + room);
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    kernels::DenseSparse(
        packed_,
        kernels::ListNonZeros(
            packed_.k, workspace.Row<const float>(buffers_.input.index, row),
            indices, values),
        sums, workspace.Row<float>(buffers_.output.index, row));
  }
  return true;
}

std::string DenseStep::Describe() const {
  std::string text = fmt::format("dense {} -> {}", packed_.k, packed_.n);
  if (packed_.activation == kernels::Activation::kRelu) {
    text += ", relu";
  }
  if (vectors_per_row_ > 1) {
    text += fmt::format(", {} vectors a row", vectors_per_row_);
  }
  return text;
}

std::size_t DenseStep::constant_bytes() const {
  return weights_.size() + row_weights_.size() + bias_.size();
}

DenseStep& LowerDense(const DenseLayer& layer, PlanBuilder& plan) {
  const std::size_t input = plan.BufferOf(layer.input);
  const std::size_t output = plan.Define(layer.output);
  const std::size_t sparse =
      plan.AddBuffer(kernels::PackedBiasSize(layer.n) * sizeof(float) +
                     (layer.k + kernels::kSparseRowPadding) *
                         (sizeof(float) + sizeof(std::uint32_t)));
  auto step = std::make_unique<DenseStep>(
      layer,
      DenseStep::Buffers{
          .input = {.index = input, .stride = plan.FloatStride(input)},
          .output = {.index = output, .stride = plan.FloatStride(output)},
          .sparse = sparse});
  DenseStep& added = *step;
  plan.AddStep(std::move(step), {input, output, sparse});
  return added;
}

}  // namespace relu
