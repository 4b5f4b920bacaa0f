// Dense() for every instruction set: Highway compiles this file once per target
// and HWY_DYNAMIC_DISPATCH picks one of the copies when the program starts.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "core/kernels/kernels.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/dense.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/dense-inl.h"
#include "core/kernels/dense_narrow-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

// Vectors of sums that a tile of 1, 2, ... rows has for each row. Two
// multiply-adds start in each cycle and take four or so: with eight sums in
// all, one that starts late delays all that follow (Zen 3: four rows of two
// vectors took 58 us or 102, by chance). All must stay in registers, beside
// weights and an input: of 16 with AVX2, of 32 with AVX-512 and NEON. A row
// alone waits for its weights, so it needs no more than eight.
#if HWY_TARGET == HWY_SCALAR
constexpr std::array<std::size_t, 1> kTileWidths = {kVectors};
constexpr std::size_t kMaxSums = kVectors;
#elif HWY_TARGET == HWY_AVX2
constexpr std::array<std::size_t, 6> kTileWidths = {8, 6, 4, 3, 2, 2};
constexpr std::size_t kMaxSums = 12;
#else
constexpr std::array<std::size_t, 6> kTileWidths = {8, 8, 8, 4, 4, 4};
constexpr std::size_t kMaxSums = 24;
#endif
constexpr std::size_t kMaxTileRows = kTileWidths.size();

// Layers of more inputs are computed in blocks of them, so that the inputs of
// kMaxBlockRows rows stay in L2. In between, the output holds the sums as they
// are. (Zen 3: blocks so short that their weights stay in L1 cost more for
// loading and storing sums than they save.)
constexpr std::size_t kMaxBlockInputs = 1024;
constexpr std::size_t kMaxBlockRows = 192;

// Panels that `rows` rows take at a time: as many as make one tile or, where a
// tile ends inside of a panel, two.
constexpr std::size_t GroupPanels(std::size_t rows) {
  return std::lcm(kTileWidths[rows - 1], kVectors) / kVectors;
}

// The most panels that are left to the last group. A row alone has registers
// for more than it needs.
constexpr std::size_t LastGroupPanels(std::size_t rows) {
  return rows == 1 ? 2 * GroupPanels(1) - 1 : GroupPanels(rows);
}

// Part of a layer: the panels from `panel` on, and of the inputs begin ..
// end - 1. The sums of the inputs before lie in the output.
struct Part {
  std::size_t panel = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// What a tile brings into the caches while it computes: for each input one line
// of each panel, `step` bytes after that of the input before.
struct Fetch {
  const char* line = nullptr;  // Or nothing.
  std::size_t step = 0;
};

// The micro-kernel: kRows rows times kWidth vectors of columns in registers,
// from vector kFirst of the part on. GCC 12 keeps arrays of vectors in memory,
// at half the speed, unless every loop over them is unrolled.
template <typename Weight, std::size_t kRows, std::size_t kFirst,
          std::size_t kWidth>
class Tile {
 public:
  static void Run(const PackedDense& layer, const DenseRows& rows,
                  const Part& part, const Fetch& fetch) {
    const std::size_t column = part.panel * kPanelColumns + kFirst * kLanes;
    const std::size_t columns = std::min(layer.n - column, kWidth * kLanes);
    float* const output = rows.output + column;
    Sums sums;
    if (part.begin == 0) {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
        for (std::size_t v = 0; v < kWidth; ++v) {
          sums[row][v] = hn::Load(kFloat, layer.bias + column + v * kLanes);
        }
      }
    } else {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < kRows; ++row) {
        LoadRow(output + row * rows.output_stride, columns, sums[row]);
      }
    }
    if (kRows > 1 && fetch.line != nullptr) {
      AddInputs<true>(layer, rows, part, fetch, sums);
    } else {
      AddInputs<false>(layer, rows, part, fetch, sums);
    }
    const Float floor =
        Floor(part.end == layer.k ? layer.activation : Activation::kIdentity);
#pragma GCC unroll 16
    for (std::size_t row = 0; row < kRows; ++row) {
      StoreRow(sums[row], floor, columns, output + row * rows.output_stride);
    }
  }

 private:
  using Sums = Float[kRows][kWidth];

  template <bool kFetch>
  static HWY_INLINE void AddInputs(const PackedDense& layer,
                                   const DenseRows& rows, const Part& part,
                                   const Fetch& fetch, Sums& sums) {
    const std::size_t panel_size = PanelSize(layer);
    const Weight* weights = WeightsOf<Weight>(layer) + part.panel * panel_size +
                            part.begin * kPanelColumns;
    const float* inputs[kRows];
#pragma GCC unroll 16
    for (std::size_t row = 0; row < kRows; ++row) {
      inputs[row] = rows.input + row * rows.input_stride;
    }
    const char* line = fetch.line;
    // What a loop takes beside its work counts: the other thread of a core may
    // take every other instruction (Zen 3: 1.2 times as fast then).
    constexpr std::size_t kUnroll = 4;
    std::size_t k = part.begin;
    for (; k + kUnroll <= part.end; k += kUnroll) {
#pragma GCC unroll 16
      for (std::size_t i = 0; kFetch && i < kUnroll; ++i) {
        FetchLine(line, panel_size * sizeof(Weight));
        line += fetch.step;
      }
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kUnroll; ++i) {
        AddInput(weights + i * kPanelColumns, panel_size, inputs, k + i, sums);
      }
      weights += kUnroll * kPanelColumns;
    }
    for (; k < part.end; ++k) {
      AddInput(weights, panel_size, inputs, k, sums);
      weights += kPanelColumns;
    }
  }

  static HWY_INLINE void AddInput(const Weight* weights, std::size_t panel_size,
                                  const float* const (&inputs)[kRows],
                                  std::size_t k, Sums& sums) {
    Float weight[kWidth];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kWidth; ++v) {
      const std::size_t vector = kFirst + v;
      weight[v] = LoadWeights(weights + vector / kVectors * panel_size +
                              vector % kVectors * kLanes);
    }
#pragma GCC unroll 16
    for (std::size_t row = 0; row < kRows; ++row) {
      const Float input = Set(inputs[row][k]);
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kWidth; ++v) {
        if constexpr (kRows == 1) {
          sums[row][v] = FusedMultiplyAdd(input, weight[v], sums[row][v]);
        } else {
          AddProduct(input, weight[v], sums[row][v]);
        }
      }
    }
  }

  // One line of each panel, but of one that the tile before has begun with.
  static HWY_INLINE void FetchLine(const char* line, std::size_t panel_bytes) {
#pragma GCC unroll 16
    for (std::size_t p = 0; p * kVectors < kFirst + kWidth; ++p) {
      if (p * kVectors >= kFirst) {
        __builtin_prefetch(line + p * panel_bytes);
      }
    }
  }
};

// All rows, shared evenly among `tiles` tiles of kRows rows or one less (8 are
// 4 + 4, which is faster than 6 + 2), times kWidth vectors from vector kFirst
// of the part on. `next`: bytes to the panels that come after those of the
// part.
template <typename Weight, std::size_t kRows, std::size_t kFirst,
          std::size_t kWidth>
void Tiles(const PackedDense& layer, const DenseRows& rows, std::size_t tiles,
           const Part& part, std::size_t next) {
  constexpr std::size_t kLineBytes = kPanelColumns * sizeof(Weight);
  if (tiles == 1) {
    return Tile<Weight, kRows, kFirst, kWidth>::Run(layer, rows, part, {});
  }
  // Few tiles fetch a part each of what comes next, of more every fourth.
  const std::size_t period = tiles <= 4 ? 1 : 4;
  const std::size_t step = kLineBytes / ((tiles + period - 1) / period);
  const char* line = reinterpret_cast<const char*>(WeightsOf<Weight>(layer)) +
                     part.panel * PanelSize(layer) * sizeof(Weight) +
                     part.begin * kLineBytes + next;
  DenseRows tile = rows;
  for (std::size_t i = 0; i < tiles; ++i) {
    Fetch fetch;
    if (i % period == 0) {
      fetch = {.line = line, .step = step};
      line += (part.end - part.begin) * step;
    }
    tile.m = rows.m / tiles + (i < rows.m % tiles ? 1 : 0);
    if (tile.m == kRows) {
      Tile<Weight, kRows, kFirst, kWidth>::Run(layer, tile, part, fetch);
    } else if constexpr (kRows > 1) {
      Tile<Weight, kRows - 1, kFirst, kWidth>::Run(layer, tile, part, fetch);
    }
    tile.input += tile.m * rows.input_stride;
    tile.output += tile.m * rows.output_stride;
  }
}

// All rows times kPanels panels, in one tile or two.
template <typename Weight, std::size_t kRows, std::size_t kPanels>
void Group(const PackedDense& layer, const DenseRows& rows, std::size_t tiles,
           const Part& part) {
  constexpr std::size_t kWidth = kPanels * kVectors;
  const std::size_t next = kPanels * PanelSize(layer) * sizeof(Weight);
  if constexpr (kRows == 1 || kRows * kWidth <= kMaxSums) {
    Tiles<Weight, kRows, 0, kWidth>(layer, rows, tiles, part, next);
  } else {
    constexpr std::size_t kHalf = kWidth / 2;
    static_assert(kRows * kHalf <= kMaxSums && kWidth % 2 == 0);
    Tiles<Weight, kRows, 0, kHalf>(layer, rows, tiles, part, next);
    Tiles<Weight, kRows, kHalf, kHalf>(layer, rows, tiles, part, next);
  }
}

// The Group() of `panels` panels, at most kPanels.
template <typename Weight, std::size_t kRows,
          std::size_t kPanels = LastGroupPanels(kRows)>
void LastGroup(const PackedDense& layer, const DenseRows& rows,
               std::size_t tiles, const Part& part, std::size_t panels) {
  if constexpr (kPanels > 1) {
    if (panels < kPanels) {
      return LastGroup<Weight, kRows, kPanels - 1>(layer, rows, tiles, part,
                                                   panels);
    }
  }
  Group<Weight, kRows, kPanels>(layer, rows, tiles, part);
}

// All panels, for the inputs of `part`. Panels are the outer loop: each comes
// from far away only once. Calls itself with the number of rows of the largest
// tile.
template <typename Weight, std::size_t kRows = 1>
void Panels(const PackedDense& layer, const DenseRows& rows, std::size_t tiles,
            Part part) {
  if constexpr (kRows < kMaxTileRows) {
    if (rows.m > kRows * tiles) {
      return Panels<Weight, kRows + 1>(layer, rows, tiles, part);
    }
  }
  constexpr std::size_t kPanels = GroupPanels(kRows);
  constexpr std::size_t kLast = LastGroupPanels(kRows);
  std::size_t left = PanelCount(layer.n);
  for (; left > 2 * kPanels || (left > kLast && kRows == 1); left -= kPanels) {
    Group<Weight, kRows, kPanels>(layer, rows, tiles, part);
    part.panel += kPanels;
  }
  if (left > kLast) {  // Two even groups: small ones leave time unused.
    LastGroup<Weight, kRows>(layer, rows, tiles, part, (left + 1) / 2);
    part.panel += (left + 1) / 2;
    left /= 2;
  }
  LastGroup<Weight, kRows>(layer, rows, tiles, part, left);
}

// Rows of which there are more than one tile takes.
template <typename Weight>
void Blocks(const PackedDense& layer, const DenseRows& rows) {
  const std::size_t row_blocks = (rows.m + kMaxBlockRows - 1) / kMaxBlockRows;
  const std::size_t blocks = std::max<std::size_t>(
      (layer.k + kMaxBlockInputs - 1) / kMaxBlockInputs, 1);
  DenseRows block = rows;
  for (std::size_t row_block = 0; row_block < row_blocks; ++row_block) {
    block.m = rows.m / row_blocks + (row_block < rows.m % row_blocks ? 1 : 0);
    const std::size_t tiles = (block.m + kMaxTileRows - 1) / kMaxTileRows;
    for (std::size_t i = 0; i < blocks; ++i) {
      Panels<Weight>(layer, block, tiles,
                     {.panel = 0,
                      .begin = layer.k * i / blocks,
                      .end = layer.k * (i + 1) / blocks});
    }
    block.input += block.m * rows.input_stride;
    block.output += block.m * rows.output_stride;
  }
}

template <typename Weight>
void PanelDense(const PackedDense& layer, const DenseRows& rows) {
  if (rows.m <= kMaxTileRows) {
    Panels<Weight>(layer, rows, /*tiles=*/1,
                   {.panel = 0, .begin = 0, .end = layer.k});
  } else {
    Blocks<Weight>(layer, rows);
  }
}

}  // namespace

DenseFunction DenseFunctionOfTarget(const PackedDense& layer) {
  const bool is_half = layer.half_weights != nullptr;
  if (layer.layout == Layout::kNarrow) {
    return is_half ? NarrowDense<std::uint16_t> : NarrowDense<float>;
  }
  return is_half ? PanelDense<std::uint16_t> : PanelDense<float>;
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(DenseFunctionOfTarget);

DenseFunction DenseFunctionOf(const PackedDense& layer) {
  return HWY_DYNAMIC_DISPATCH(DenseFunctionOfTarget)(layer);
}

void Dense(const PackedDense& layer, const DenseRows& rows) {
  DenseFunctionOf(layer)(layer, rows);
}

}  // namespace relu::kernels
#endif  // HWY_ONCE
