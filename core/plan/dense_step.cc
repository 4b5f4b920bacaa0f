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
#include "core/plan/common_prefix.h"
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

// Inputs that rows have in common are added once from so many on. Adding fewer
// takes less time than another call of the kernel.
constexpr std::size_t kLeastSharedInputs = 16;

// Narrow layers are too small to gain by skipping zeros or sharing inputs, and
// several vectors of one row have both at different places.
bool IsOneChain(const DenseLayer& layer) {
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
  return IsOneChain(layer)
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
      is_one_chain_(IsOneChain(layer)),
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
  if (row_memory != nullptr && IsOneChain(layer)) {
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
  auto* const scratch = workspace.Scratch<std::byte>(rows.thread);
  const auto at = [&](std::int64_t begin, std::int64_t end) {
    const auto& [input, output] = buffers_;
    return kernels::DenseRows{
        .m = static_cast<std::size_t>(end - begin),
        .input = workspace.Row<const float>(input.index, begin),
        .input_stride = input.stride,
        .output = workspace.Row<float>(output.index, begin) + column,
        .output_stride = output.stride};
  };
  if (workspace.alike().empty()) {
    RunAny(part, at(rows.begin, rows.end), scratch);
    return;
  }
  std::int64_t done = rows.begin;
  for (const RowRange& alike : workspace.alike()) {
    const std::int64_t begin = std::clamp(alike.begin, done, rows.end);
    const std::int64_t end = std::clamp(alike.end, done, rows.end);
    if (!is_one_chain_ || end - begin < 2) {
      continue;
    }
    if (done < begin) {
      RunAny(part, at(done, begin), scratch);
    }
    RunAlike(part, at(begin, end), scratch);
    done = end;
  }
  if (done < rows.end) {
    RunAny(part, at(done, rows.end), scratch);
  }
}

void DenseStep::RunAlike(const kernels::PackedDense& part,
                         const kernels::DenseRows& rows,
                         std::byte* scratch) const {
  const std::size_t shared =
      CommonPrefix(rows.m, part.k, rows.input, rows.input_stride);
  if (shared < std::min(kLeastSharedInputs, part.k)) {
    return RunAny(part, rows, scratch);
  }
  auto* const sums = reinterpret_cast<float*>(scratch);
  kernels::PackedDense first = kernels::InputsOf(part, 0, shared);
  if (shared < part.k) {
    first.activation = kernels::Activation::kIdentity;
  }
  RunAny(first,
         {.m = 1,
          .input = rows.input,
          .input_stride = rows.input_stride,
          .output = sums,
          .output_stride = part.n},
         scratch);
  if (shared == part.k) {
    for (std::size_t i = 0; i < rows.m; ++i) {
      std::copy_n(sums, part.n, rows.output + i * rows.output_stride);
    }
    return;
  }
  // The padding is added to what nobody reads; but not whatever was there.
  std::fill(sums + part.n, sums + kernels::PackedBiasSize(part.n), 0.0F);
  kernels::PackedDense rest = kernels::InputsOf(part, shared, part.k - shared);
  rest.bias = sums;
  kernels::DenseRows others = rows;
  others.input += shared;
  RunAny(rest, others, scratch);
}

void DenseStep::RunAny(const kernels::PackedDense& part,
                       const kernels::DenseRows& rows,
                       std::byte* scratch) const {
  if (HasEnoughZeros(part, rows)) {
    RunSparse(part, rows, scratch);
  } else {
    RunDense(part, rows);
  }
}

void DenseStep::RunDense(const kernels::PackedDense& part,
                         const kernels::DenseRows& rows) const {
  if (vectors_per_row_ == 1) {
    dense_(part, rows);
    return;
  }
  // Any order of the vectors gives the same bits: have few, large calls.
  kernels::DenseRows vectors = rows;
  if (rows.m >= vectors_per_row_) {
    for (std::size_t i = 0; i < vectors_per_row_; ++i) {
      dense_(part, vectors);
      vectors.input += packed_.k;
      vectors.output += packed_.n;
    }
    return;
  }
  vectors.m = vectors_per_row_;
  vectors.input_stride = packed_.k;
  vectors.output_stride = packed_.n;
  for (std::size_t i = 0; i < rows.m; ++i) {
    dense_(part, vectors);
    vectors.input += rows.input_stride;
    vectors.output += rows.output_stride;
  }
}

bool DenseStep::HasEnoughZeros(const kernels::PackedDense& part,
                               const kernels::DenseRows& rows) const {
  std::size_t most = zero_skip_.MaxEntries(rows.m);
  if (most == 0) {
    return false;
  }
  if (part.k < packed_.k) {
    most = most * part.k / packed_.k;
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < rows.m && count <= most; ++i) {
    count += kernels::CountNonZeros(part.k, rows.input + i * rows.input_stride);
  }
  return count <= most;
}

void DenseStep::RunSparse(const kernels::PackedDense& part,
                          const kernels::DenseRows& rows,
                          std::byte* scratch) const {
  // After those of RunAlike(), the sums of DenseSparse(), then the values of
  // all lists, then the indices.
  const std::size_t width = kernels::PackedBiasSize(packed_.n);
  float* const sums = reinterpret_cast<float*>(scratch) + width;
  float* const values = sums + width;
  auto* const indices =
      reinterpret_cast<std::uint32_t*>(values + ListsSize(packed_.k));
  const auto list = [&](std::size_t row, std::size_t begin) {
    return kernels::ListNonZeros(part.k, rows.input + row * rows.input_stride,
                                 indices + begin, values + begin);
  };
  if (rows.m == 1 || zero_skip_.OneByOne()) {
    for (std::size_t i = 0; i < rows.m; ++i) {
      kernels::DenseSparse(part, list(i, 0), sums,
                           rows.output + i * rows.output_stride);
    }
    return;
  }
  std::array<kernels::SparseRow, kMostSparseRows> lists;
  for (std::size_t first = 0; first < rows.m; first += kMostSparseRows) {
    const std::size_t count = std::min(kMostSparseRows, rows.m - first);
    for (std::size_t i = 0, end = 0; i < count; ++i) {
      lists[i] = list(first + i, end);
      end += lists[i].count;
    }
    kernels::DenseSparseRows(part, std::span(lists).first(count),
                             rows.output + first * rows.output_stride,
                             rows.output_stride);
  }
}

std::size_t DenseStep::scratch_bytes() const {
  const std::size_t sums_bytes =
      kernels::PackedBiasSize(packed_.n) * sizeof(float);
  std::size_t bytes = is_one_chain_ ? sums_bytes : 0;
  if (SkipsZeros()) {
    bytes += sums_bytes +
             ListsSize(packed_.k) * (sizeof(float) + sizeof(std::uint32_t));
  }
  return bytes;
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
