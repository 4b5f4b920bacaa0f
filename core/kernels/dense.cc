// Dense() for every instruction set: Highway compiles this file once per target
// and HWY_DYNAMIC_DISPATCH picks one of the copies when the program starts.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/kernels/kernels.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/dense.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/dense-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

// The accumulators of a tile, which must stay in registers: of 16 with AVX2,
// of 32 with AVX-512 and NEON. The others hold weights and an input.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SCALAR
constexpr std::size_t kMaxSums = 16 - 4;
#else
constexpr std::size_t kMaxSums = 32 - 8;
#endif
constexpr std::size_t kMaxTileRows =
    std::clamp<std::size_t>(kMaxSums / kVectors, 1, 6);
constexpr std::size_t kMaxTilePanels = kRowPanels;

// How many panels a tile of `rows` rows covers at a time.
constexpr std::size_t TilePanels(std::size_t rows) {
  std::size_t panels = kMaxTilePanels;
  while (panels > 1 && rows * panels * kVectors > kMaxSums) {
    panels /= 2;
  }
  return panels;
}

// The micro-kernel: kRows rows times kPanels panels from `panel` on, in
// registers. GCC 12 keeps arrays of vectors in memory, at half the speed,
// unless every loop over them is unrolled.
template <typename Weight, std::size_t kRows, std::size_t kPanels>
void Tile(const PackedDense& layer, const DenseRows& rows, std::size_t panel) {
  constexpr std::size_t kWidth = kPanels * kVectors;
  const float* const bias = layer.bias + panel * kPanelColumns;
  const Weight* const weights =
      WeightsOf<Weight>(layer) + panel * layer.k * kPanelColumns;
  Float sums[kRows][kWidth];
#pragma GCC unroll 16
  for (std::size_t row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kWidth; ++v) {
      sums[row][v] = hn::Load(kFloat, bias + v * kLanes);
    }
  }
  for (std::size_t k = 0; k < layer.k; ++k) {
    Float weight[kWidth];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kWidth; ++v) {
      const std::size_t line = (v / kVectors) * layer.k + k;
      weight[v] =
          LoadWeights(weights + line * kPanelColumns + (v % kVectors) * kLanes);
    }
#pragma GCC unroll 16
    for (std::size_t row = 0; row < kRows; ++row) {
      const Float input = Set(rows.input[row * rows.input_stride + k]);
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kWidth; ++v) {
        sums[row][v] = FusedMultiplyAdd(input, weight[v], sums[row][v]);
      }
    }
  }
  const Float floor = Floor(layer.activation);
#pragma GCC unroll 16
  for (std::size_t row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPanels; ++p) {
      const std::size_t column = (panel + p) * kPanelColumns;
      StoreRow(&sums[row][p * kVectors], floor,
               std::min(layer.n - column, kPanelColumns),
               rows.output + row * rows.output_stride + column);
    }
  }
}

// Calls the Tile() for rows.m rows, 1 to kMaxTileRows.
template <typename Weight, std::size_t kPanels,
          std::size_t kRows = kMaxTileRows>
void TileOfRows(const PackedDense& layer, const DenseRows& rows,
                std::size_t panel) {
  if constexpr (kRows > 1) {
    if (rows.m < kRows) {
      return TileOfRows<Weight, kPanels, kRows - 1>(layer, rows, panel);
    }
  }
  if constexpr (kPanels <= TilePanels(kRows)) {
    Tile<Weight, kRows, kPanels>(layer, rows, panel);
  }
}

// All rows, shared among `tiles` tiles, times the panels from `panel` on:
// kPanels at a time if that many fit into a tile, the rest with half as many,
// and so on. Panels are the outer loop: each comes from far away only once.
template <typename Weight, std::size_t kPanels>
void Panels(const PackedDense& layer, const DenseRows& rows, std::size_t tiles,
            std::size_t panel) {
  const std::size_t panels = PanelCount(layer.n);
  if (kPanels <= TilePanels((rows.m + tiles - 1) / tiles)) {
    for (; panel + kPanels <= panels; panel += kPanels) {
      std::size_t row = 0;
      for (std::size_t i = 0; i < tiles; ++i) {
        DenseRows tile = rows;
        // Even shares: 8 rows are 4 + 4, which is faster than 6 + 2.
        tile.m = rows.m / tiles + (i < rows.m % tiles ? 1 : 0);
        tile.input += row * rows.input_stride;
        tile.output += row * rows.output_stride;
        TileOfRows<Weight, kPanels>(layer, tile, panel);
        row += tile.m;
      }
    }
  }
  if constexpr (kPanels > 1) {
    Panels<Weight, kPanels / 2>(layer, rows, tiles, panel);
  }
}

}  // namespace

void DenseOfTarget(const PackedDense& layer, const DenseRows& rows) {
  const std::size_t tiles = (rows.m + kMaxTileRows - 1) / kMaxTileRows;
  if (layer.half_weights == nullptr) {
    Panels<float, kMaxTilePanels>(layer, rows, tiles, /*panel=*/0);
  } else {
    Panels<std::uint16_t, kMaxTilePanels>(layer, rows, tiles, /*panel=*/0);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(DenseOfTarget);

void Dense(const PackedDense& layer, const DenseRows& rows) {
  HWY_DYNAMIC_DISPATCH(DenseOfTarget)(layer, rows);
}

}  // namespace relu::kernels
#endif  // HWY_ONCE
