#include "core/plan/dense_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/compile_options.h"
#include "core/plan/dense_layer.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/weight_memory.h"
#include "core/plan/workspace.h"
#include "core/tensor/float16.h"

namespace relu {
namespace {

// Rows whose lists are made before the weights are walked: so many share what
// is then in the caches.
constexpr std::size_t kMostSparseRows = 64;

// Entries that the lists of so many rows of k inputs have room for.
constexpr std::size_t ListsSize(std::size_t k) {
  return kMostSparseRows * k + kernels::kSparseRowPadding;
}

std::vector<std::uint16_t> ToFloat16(const std::vector<float>& weights) {
  std::vector<std::uint16_t> halves(weights.size());
  std::ranges::transform(weights, halves.begin(), &FloatToFp16);
  return halves;
}

std::size_t WeightSize(WeightStorage storage) {
  return storage == WeightStorage::kFloat32 ? sizeof(float)
                                            : sizeof(std::uint16_t);
}

// Narrow layers are too small to gain, and several vectors of one row have
// zeros at different places.
bool CanSkipZeros(const DenseLayer& layer) {
  return kernels::LayoutOf(layer.k, layer.n) == kernels::Layout::kPanels &&
         layer.vectors_per_row == 1;
}

}  // namespace

std::size_t DenseStep::PackedBytes(const DenseLayer& layer,
                                   WeightStorage storage) {
  return WeightMemory::Size(kernels::PackedBiasSize(layer.n) * sizeof(float)) +
         WeightMemory::Size(kernels::PackedWeightsSize(layer.k, layer.n) *
                            WeightSize(storage));
}

std::size_t DenseStep::PackedRowsBytes(const DenseLayer& layer,
                                       WeightStorage storage) {
  return CanSkipZeros(layer)
             ? WeightMemory::Size(layer.k * kernels::RowStride(layer.n) *
                                  WeightSize(storage))
             : 0;
}

DenseStep::DenseStep(const DenseLayer& layer, WeightStorage storage,
                     const Buffers& buffers, WeightMemory& memory,
                     WeightMemory* row_memory)
    : bias_(memory.Take(kernels::PackedBiasSize(layer.n) * sizeof(float))),
      weights_(memory.Take(kernels::PackedWeightsSize(layer.k, layer.n) *
                           WeightSize(storage))),
      storage_(storage),
      vectors_per_row_(layer.vectors_per_row),
      buffers_(buffers) {
  std::ranges::copy(layer.bias, reinterpret_cast<float*>(bias_.data()));
  if (storage == WeightStorage::kFloat32) {
    Pack(layer, layer.weights, row_memory);
  } else {
    Pack(layer, ToFloat16(layer.weights), row_memory);
  }
  packed_ = {.k = layer.k,
             .n = layer.n,
             .layout = kernels::LayoutOf(layer.k, layer.n),
             .bias = reinterpret_cast<const float*>(bias_.data()),
             .activation = layer.activation,
             .row_stride = kernels::RowStride(layer.n)};
  Point();
  dense_ = kernels::DenseFunctionOf(packed_);
}

template <typename Weight>
void DenseStep::Pack(const DenseLayer& layer,
                     const std::vector<Weight>& weights,
                     WeightMemory* row_memory) {
  kernels::PackWeights(layer.k, layer.n, weights.data(),
                       reinterpret_cast<Weight*>(weights_.data()));
  if (row_memory != nullptr && CanSkipZeros(layer)) {
    row_weights_ = row_memory->Take(layer.k * kernels::RowStride(layer.n) *
                                    sizeof(Weight));
    kernels::PackRowWeights(layer.k, layer.n, weights.data(),
                            reinterpret_cast<Weight*>(row_weights_.data()));
  }
}

void DenseStep::Point() {
  if (storage_ == WeightStorage::kFloat32) {
    packed_.weights = reinterpret_cast<const float*>(weights_.data());
    packed_.row_weights = reinterpret_cast<const float*>(row_weights_.data());
  } else {
    packed_.half_weights =
        reinterpret_cast<const std::uint16_t*>(weights_.data());
    packed_.half_row_weights =
        reinterpret_cast<const std::uint16_t*>(row_weights_.data());
  }
}

void DenseStep::SetZeroSkip(const ZeroSkipLimits& limits) {
  zero_skip_ = row_weights_.empty() ? ZeroSkipLimits::Never() : limits;
}

void DenseStep::MoveRows(WeightMemory& row_memory) {
  if (SkipsZeros()) {
    const std::span<std::byte> moved = row_memory.Take(row_weights_.size());
    std::ranges::copy(row_weights_, moved.begin());
    row_weights_ = moved;
  } else {
    row_weights_ = {};
  }
  Point();
}

void DenseStep::Run(RowRange rows, Workspace& workspace) const {
  RunColumns(rows, {.index = 0, .count = 1}, workspace);
}

std::size_t DenseStep::column_shares() const {
  // As many panels as the kernels take at a time of one row, at least.
  constexpr std::size_t kPanels = 4;
  return std::max<std::size_t>(kernels::PanelCount(packed_.n) / kPanels, 1);
}

void DenseStep::RunColumns(RowRange rows, ColumnShare share,
                           Workspace& workspace) const {
  if (share.count == 1) {
    return RunPart(packed_, /*column=*/0, rows, workspace);
  }
  const std::size_t panels = kernels::PanelCount(packed_.n);
  const std::size_t first = panels * share.index / share.count;
  const std::size_t end = panels * (share.index + 1) / share.count;
  const kernels::PackedDense part =
      kernels::PanelsOf(packed_, first, end - first);
  RunPart(part, first * kernels::kPanelColumns, rows, workspace);
}

void DenseStep::RunPart(const kernels::PackedDense& part, std::size_t column,
                        RowRange rows, Workspace& workspace) const {
  if (HasEnoughZeros(rows, workspace)) {
    RunSparse(part, column, rows, workspace);
  } else {
    RunDense(part, column, rows, workspace);
  }
}

void DenseStep::RunDense(const kernels::PackedDense& part, std::size_t column,
                         RowRange rows, Workspace& workspace) const {
  const auto& [input, output] = buffers_;
  const auto m = static_cast<std::size_t>(rows.size());
  const auto* from = workspace.Row<const float>(input.index, rows.begin);
  auto* to = workspace.Row<float>(output.index, rows.begin) + column;
  // Any order of the vectors gives the same bits: have few, large calls.
  if (m >= vectors_per_row_) {
    for (std::size_t i = 0; i < vectors_per_row_; ++i) {
      dense_(part, {.m = m,
                    .input = from + i * packed_.k,
                    .input_stride = input.stride,
                    .output = to + i * packed_.n,
                    .output_stride = output.stride});
    }
    return;
  }
  for (std::size_t i = 0; i < m; ++i) {
    dense_(part, {.m = vectors_per_row_,
                  .input = from + i * input.stride,
                  .input_stride = packed_.k,
                  .output = to + i * output.stride,
                  .output_stride = packed_.n});
  }
}

bool DenseStep::HasEnoughZeros(RowRange rows, Workspace& workspace) const {
  const std::size_t most =
      zero_skip_.MaxEntries(static_cast<std::size_t>(rows.size()));
  if (most == 0) {
    return false;
  }
  std::size_t count = 0;
  for (std::int64_t row = rows.begin; row < rows.end && count <= most; ++row) {
    count += kernels::CountNonZeros(
        packed_.k, workspace.Row<const float>(buffers_.input.index, row));
  }
  return count <= most;
}

void DenseStep::RunSparse(const kernels::PackedDense& part, std::size_t column,
                          RowRange rows, Workspace& workspace) const {
  // The sums of DenseSparse(), then the values of all lists, then the indices.
  auto* const sums = workspace.Scratch<float>(rows.thread);
  float* const values = sums + kernels::PackedBiasSize(packed_.n);
  auto* const indices =
      reinterpret_cast<std::uint32_t*>(values + ListsSize(packed_.k));
  const auto list = [&](std::int64_t row, std::size_t begin) {
    return kernels::ListNonZeros(
        packed_.k, workspace.Row<const float>(buffers_.input.index, row),
        indices + begin, values + begin);
  };
  const auto output = [&](std::int64_t row) {
    return workspace.Row<float>(buffers_.output.index, row) + column;
  };
  if (rows.size() == 1) {
    kernels::DenseSparse(part, list(rows.begin, 0), sums, output(rows.begin));
    return;
  }
  std::array<kernels::SparseRow, kMostSparseRows> lists;
  for (std::int64_t row = rows.begin; row < rows.end;) {
    const std::int64_t first = row;
    std::size_t count = 0;
    for (std::size_t end = 0; count < kMostSparseRows && row < rows.end;
         ++row) {
      lists[count] = list(row, end);
      end += lists[count].count;
      ++count;
    }
    kernels::DenseSparseRows(part, std::span(lists).first(count), output(first),
                             buffers_.output.stride);
  }
}

std::size_t DenseStep::scratch_bytes() const {
  if (!SkipsZeros()) {
    return 0;
  }
  return kernels::PackedBiasSize(packed_.n) * sizeof(float) +
         ListsSize(packed_.k) * (sizeof(float) + sizeof(std::uint32_t));
}

std::string DenseStep::Describe() const {
  std::string text = fmt::format("dense {} -> {}", packed_.k, packed_.n);
  if (packed_.half_weights != nullptr) {
    text += ", float16 weights";
  }
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

absl::StatusOr<DenseStep*> LowerDense(const DenseLayer& layer,
                                      WeightStorage storage, PlanBuilder& plan,
                                      WeightMemory& memory,
                                      WeightMemory* row_memory) {
  // Rounded up, the largest of all is 65504.
  constexpr float kTooLarge = 65520;
  if (storage == WeightStorage::kFloat16) {
    for (const float weight : layer.weights) {
      if (std::abs(weight) >= kTooLarge) {
        return absl::InvalidArgumentError(fmt::format(
            "{}: weight {} is too large for float16, whose largest value is "
            "65504; store the weights as float32",
            NodeText(plan.graph().nodes[layer.nodes.front()]), weight));
      }
    }
  }
  const std::size_t input = plan.BufferOf(layer.input);
  const std::size_t output = plan.Define(layer.output);
  auto step = std::make_unique<DenseStep>(
      layer, storage,
      DenseStep::Buffers{
          .input = {.index = input, .stride = plan.FloatStride(input)},
          .output = {.index = output, .stride = plan.FloatStride(output)}},
      memory, row_memory);
  DenseStep* const added = step.get();
  plan.AddStep(std::move(step), {input, output});
  return added;
}

}  // namespace relu
