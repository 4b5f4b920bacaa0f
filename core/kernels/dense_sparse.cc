// DenseSparse() and DenseSparseRows() for every instruction set.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/kernels/kernels.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/dense_sparse.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/dense-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

// Entries that are added to all sums at a time: their inputs stay in registers,
// and each sum is loaded and stored once for all of them. Whole rows of weights
// are read, which the CPU fetches ahead by itself: with weights beyond the
// caches and 80 % zeros 2.8 times as fast as walking panels (Zen 4).
constexpr std::size_t kMaxEntries = 8;

template <typename Weight, std::size_t kEntries>
void AddEntries(const PackedDense& layer, const SparseRow& row,
                std::size_t first, float* sums) {
  Float inputs[kEntries];
  const Weight* weights[kEntries];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kEntries; ++i) {
    inputs[i] = Set(row.values[first + i]);
    weights[i] =
        RowWeightsOf<Weight>(layer) + row.indices[first + i] * layer.row_stride;
  }
  const std::size_t width = PackedBiasSize(layer.n);
  for (std::size_t column = 0; column < width; column += kLanes) {
    Float sum = hn::Load(kFloat, sums + column);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kEntries; ++i) {
      sum = FusedMultiplyAdd(inputs[i], LoadWeights(weights[i] + column), sum);
    }
    hn::Store(sum, kFloat, sums + column);
  }
}

// The entries from `first` on: kEntries at a time, the rest half as many.
template <typename Weight, std::size_t kEntries>
void AddEntriesFrom(const PackedDense& layer, const SparseRow& row,
                    std::size_t first, float* sums) {
  for (; first + kEntries <= row.count; first += kEntries) {
    AddEntries<Weight, kEntries>(layer, row, first, sums);
  }
  if constexpr (kEntries > 1) {
    AddEntriesFrom<Weight, kEntries / 2>(layer, row, first, sums);
  }
}

// Panels whose sums stay in registers while all entries of a row are added:
// eight vectors, as many as hide the time that a multiply-add takes. Their
// weights are few enough for L2 with 1,000 inputs.
constexpr std::size_t kBlockPanels = std::max<std::size_t>(8 / kVectors, 1);

// All rows times kPanels panels from `column` on.
template <typename Weight, std::size_t kPanels>
void AddBlock(const PackedDense& layer, std::span<const SparseRow> rows,
              std::size_t column, float* output, std::size_t output_stride) {
  constexpr std::size_t kWidth = kPanels * kVectors;
  const Weight* const weights = RowWeightsOf<Weight>(layer);
  const Float floor = Floor(layer.activation);
  const std::size_t columns = std::min(layer.n - column, kWidth * kLanes);
  for (const SparseRow& row : rows) {
    Float sums[kWidth];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kWidth; ++v) {
      sums[v] = hn::Load(kFloat, layer.bias + column + v * kLanes);
    }
    for (std::size_t i = 0; i < row.count; ++i) {
      const Float input = Set(row.values[i]);
      const Weight* const entry =
          weights + row.indices[i] * layer.row_stride + column;
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kWidth; ++v) {
        AddProduct(input, LoadWeights(entry + v * kLanes), sums[v]);
      }
    }
    StoreRow(sums, floor, columns, output + column);
    output += output_stride;
  }
}

// The AddBlock() of `panels` panels, at most kPanels.
template <typename Weight, std::size_t kPanels = kBlockPanels>
void AddLastBlock(const PackedDense& layer, std::span<const SparseRow> rows,
                  std::size_t column, std::size_t panels, float* output,
                  std::size_t output_stride) {
  if constexpr (kPanels > 1) {
    if (panels < kPanels) {
      return AddLastBlock<Weight, kPanels - 1>(layer, rows, column, panels,
                                               output, output_stride);
    }
  }
  AddBlock<Weight, kPanels>(layer, rows, column, output, output_stride);
}

template <typename Weight>
void AddBlocks(const PackedDense& layer, std::span<const SparseRow> rows,
               float* output, std::size_t output_stride) {
  std::size_t panels = PanelCount(layer.n);
  std::size_t column = 0;
  for (; panels > kBlockPanels; panels -= kBlockPanels) {
    AddBlock<Weight, kBlockPanels>(layer, rows, column, output, output_stride);
    column += kBlockPanels * kPanelColumns;
  }
  AddLastBlock<Weight>(layer, rows, column, panels, output, output_stride);
}

}  // namespace

void DenseSparseRowsOfTarget(const PackedDense& layer,
                             std::span<const SparseRow> rows, float* output,
                             std::size_t output_stride) {
  if (layer.half_weights == nullptr) {
    AddBlocks<float>(layer, rows, output, output_stride);
  } else {
    AddBlocks<std::uint16_t>(layer, rows, output, output_stride);
  }
}

void DenseSparseOfTarget(const PackedDense& layer, const SparseRow& row,
                         float* sums, float* output) {
  std::copy_n(layer.bias, PackedBiasSize(layer.n), sums);
  if (layer.half_weights == nullptr) {
    AddEntriesFrom<float, kMaxEntries>(layer, row, /*first=*/0, sums);
  } else {
    AddEntriesFrom<std::uint16_t, kMaxEntries>(layer, row, /*first=*/0, sums);
  }
  const Float floor = Floor(layer.activation);
  for (std::size_t column = 0; column < layer.n; column += kPanelColumns) {
    Float panel[kVectors];
    LoadRow(sums + column, kPanelColumns, panel);
    StoreRow(panel, floor, std::min(layer.n - column, kPanelColumns),
             output + column);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(DenseSparseOfTarget);
HWY_EXPORT(DenseSparseRowsOfTarget);

void DenseSparse(const PackedDense& layer, const SparseRow& row, float* sums,
                 float* output) {
  HWY_DYNAMIC_DISPATCH(DenseSparseOfTarget)(layer, row, sums, output);
}

void DenseSparseRows(const PackedDense& layer, std::span<const SparseRow> rows,
                     float* output, std::size_t output_stride) {
  HWY_DYNAMIC_DISPATCH(DenseSparseRowsOfTarget)
  (layer, rows, output, output_stride);
}

}  // namespace relu::kernels
#endif  // HWY_ONCE
