// The kernel of narrow dense layers, whose lanes go over the inputs, not over
// the outputs. Compiled once for each instruction set, as vector-inl.h.

// Highway's include guard: once for each target.
#if defined(CORE_KERNELS_DENSE_NARROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CORE_KERNELS_DENSE_NARROW_INL_H_
#undef CORE_KERNELS_DENSE_NARROW_INL_H_
#else
#define CORE_KERNELS_DENSE_NARROW_INL_H_
#endif

#include <algorithm>
#include <cstddef>

#include "hwy/highway.h"

#include "core/kernels/dense-inl.h"
#include "core/kernels/kernels.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {

// The chains of one output, one in each lane.
static_assert(kNarrowChains == kVectors * kLanes);

// Sums that stay in registers, for all rows and columns of a tile together.
inline constexpr std::size_t kMaxNarrowSums = kVectors > 2 ? 24 : 12;
inline constexpr std::size_t kMaxNarrowRows = kVectors > 4 ? 1 : 2;
constexpr std::size_t MaxNarrowColumns(std::size_t rows) {
  return std::max<std::size_t>(kMaxNarrowSums / kVectors / rows, 1);
}

// The sum of all lanes: the upper half is added to the lower half, and so on.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE float FoldLanes(FloatTag /*tag*/, Float lane) { return lane.raw; }
#else
template <class Tag>
HWY_INLINE float FoldLanes(Tag tag, hn::Vec<Tag> lanes) {
  if constexpr (hn::MaxLanes(tag) > 4) {
    const hn::Half<Tag> half;
    return FoldLanes(
        half, hn::Add(hn::LowerHalf(half, lanes), hn::UpperHalf(half, lanes)));
  } else {
    const auto two = hn::Add(lanes, hn::Shuffle1032(lanes));
    return hn::GetLane(hn::Add(two, hn::Shuffle2301(two)));
  }
}
#endif

// The sum of all chains.
HWY_INLINE float Fold(const Float (&chains)[kVectors]) {
  Float folded[kVectors];
#pragma GCC unroll 16
  for (std::size_t v = 0; v < kVectors; ++v) {
    folded[v] = chains[v];
  }
#pragma GCC unroll 16
  for (std::size_t width = kVectors / 2; width > 0; width /= 2) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < width; ++v) {
      folded[v] = hn::Add(folded[v], folded[v + width]);
    }
  }
  return FoldLanes(kFloat, folded[0]);
}

// kRows rows times kColumns columns from `column` on.
template <typename Weight, std::size_t kRows, std::size_t kColumns>
class NarrowTile {
 public:
  static void Run(const PackedDense& layer, const DenseRows& rows,
                  std::size_t column) {
    const std::size_t depth = NarrowDepth(layer.k);
    const Weight* const weights = WeightsOf<Weight>(layer) + column * depth;
    Float sums[kRows][kColumns][kVectors];
#pragma GCC unroll 16
    for (std::size_t row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
      for (std::size_t c = 0; c < kColumns; ++c) {
#pragma GCC unroll 16
        for (std::size_t v = 0; v < kVectors; ++v) {
          sums[row][c][v] = hn::Zero(kFloat);
        }
      }
    }
    std::size_t k = 0;
    for (; k + kNarrowChains <= layer.k; k += kNarrowChains) {
      AddInputs(weights + k, depth, rows.input + k, rows.input_stride, sums,
                [](const float* input, std::size_t /*v*/) {
                  return hn::LoadU(kFloat, input);
                });
    }
    if (k < layer.k) {
      AddInputs(weights + k, depth, rows.input + k, rows.input_stride, sums,
                [left = layer.k - k](const float* input, std::size_t v) {
                  return LoadFirst(input, left - std::min(left, v * kLanes));
                });
    }
    const float floor = hn::GetLane(Floor(layer.activation));
#pragma GCC unroll 16
    for (std::size_t row = 0; row < kRows; ++row) {
      float* const output = rows.output + row * rows.output_stride + column;
#pragma GCC unroll 16
      for (std::size_t c = 0; c < kColumns; ++c) {
        const float sum = layer.bias[column + c] + Fold(sums[row][c]) + 0.0F;
        output[c] = sum < floor ? floor : sum;
      }
    }
  }

 private:
  using Sums = Float[kRows][kColumns][kVectors];

  // One input for each chain.
  template <class Load>
  static HWY_INLINE void AddInputs(const Weight* weights, std::size_t depth,
                                   const float* inputs,
                                   std::size_t input_stride, Sums& sums,
                                   const Load& load) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) {
      Float input[kRows];
#pragma GCC unroll 16
      for (std::size_t row = 0; row < kRows; ++row) {
        input[row] = load(inputs + row * input_stride + v * kLanes, v);
      }
#pragma GCC unroll 16
      for (std::size_t c = 0; c < kColumns; ++c) {
        const Float weight = LoadWeights(weights + c * depth + v * kLanes);
#pragma GCC unroll 16
        for (std::size_t row = 0; row < kRows; ++row) {
          AddProduct(input[row], weight, sums[row][c][v]);
        }
      }
    }
  }
};

// The NarrowTile of `columns` columns, at most kColumns.
template <typename Weight, std::size_t kRows,
          std::size_t kColumns = MaxNarrowColumns(kRows)>
void NarrowTileOf(const PackedDense& layer, const DenseRows& rows,
                  std::size_t column, std::size_t columns) {
  if constexpr (kColumns > 1) {
    if (columns < kColumns) {
      return NarrowTileOf<Weight, kRows, kColumns - 1>(layer, rows, column,
                                                       columns);
    }
  }
  NarrowTile<Weight, kRows, kColumns>::Run(layer, rows, column);
}

// kRows rows at a time, as long as there are so many.
template <typename Weight, std::size_t kRows = kMaxNarrowRows>
void NarrowRows(const PackedDense& layer, DenseRows rows) {
  const std::size_t tiles =
      (layer.n + MaxNarrowColumns(kRows) - 1) / MaxNarrowColumns(kRows);
  for (; rows.m >= kRows; rows.m -= kRows) {
    for (std::size_t i = 0; i < tiles; ++i) {
      const std::size_t column = layer.n * i / tiles;
      NarrowTileOf<Weight, kRows>(layer, rows, column,
                                  layer.n * (i + 1) / tiles - column);
    }
    rows.input += kRows * rows.input_stride;
    rows.output += kRows * rows.output_stride;
  }
  if constexpr (kRows > 1) {
    NarrowRows<Weight, kRows - 1>(layer, rows);
  }
}

template <typename Weight>
void NarrowDense(const PackedDense& layer, const DenseRows& rows) {
  NarrowRows<Weight>(layer, rows);
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CORE_KERNELS_DENSE_NARROW_INL_H_
