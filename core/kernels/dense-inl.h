// What the kernels of dense layers share: how weights are read, and how a row
// of the output is. Compiled once for each instruction set, as vector-inl.h.

// Highway's include guard: once for each target.
#if defined(CORE_KERNELS_DENSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CORE_KERNELS_DENSE_INL_H_
#undef CORE_KERNELS_DENSE_INL_H_
#else
#define CORE_KERNELS_DENSE_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "hwy/highway.h"

#include "core/kernels/kernels.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {

// Vectors that make one row of a panel.
inline constexpr std::size_t kVectors = kPanelColumns / kLanes;

// Weights of one panel.
HWY_INLINE std::size_t PanelSize(const PackedDense& layer) {
  return (layer.k + layer.other_inputs) * kPanelColumns;
}

// What the activation raises smaller values to.
HWY_INLINE Float Floor(Activation activation) {
  return Set(activation == Activation::kRelu
                 ? 0.0F
                 : -std::numeric_limits<float>::infinity());
}

// The weights of a layer, packed in panels and row by row, by their type.
template <typename Weight>
const Weight* WeightsOf(const PackedDense& layer) {
  if constexpr (std::is_same_v<Weight, float>) {
    return layer.weights;
  } else {
    return layer.half_weights;
  }
}
template <typename Weight>
const Weight* RowWeightsOf(const PackedDense& layer) {
  if constexpr (std::is_same_v<Weight, float>) {
    return layer.row_weights;
  } else {
    return layer.half_row_weights;
  }
}

// One vector of weights, aligned to its size, as float32.
HWY_INLINE Float LoadWeights(const float* weights) {
  return hn::Load(kFloat, weights);
}
HWY_INLINE Float LoadWeights(const std::uint16_t* weights) {
  constexpr hn::Rebind<hwy::float16_t, FloatTag> kHalf;
  return hn::PromoteTo(
      kFloat,
      hn::Load(kHalf, reinterpret_cast<const hwy::float16_t*>(weights)));
}

// sum = FusedMultiplyAdd(a, b, sum), in the register of `sum`: of unrolled
// loops GCC 12 moves some sums through other registers and memory.
HWY_INLINE void AddProduct(Float a, Float b, Float& sum) {
#if HWY_TARGET == HWY_AVX2
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum.raw) : "x"(a.raw), "x"(b.raw));
#else
  sum = FusedMultiplyAdd(a, b, sum);
#endif
}

// Loads `columns` <= kWidth * kLanes floats into kWidth vectors. What is left
// of these is zero.
template <std::size_t kWidth>
HWY_INLINE void LoadRow(const float* values, std::size_t columns,
                        Float (&sums)[kWidth]) {
  alignas(64) float partial[kWidth * kLanes];
  if (columns < kWidth * kLanes) {
    std::memset(partial, 0, sizeof(partial));
    std::memcpy(partial, values, columns * sizeof(float));
    values = partial;
  }
#pragma GCC unroll 16
  for (std::size_t v = 0; v < kWidth; ++v) {
    sums[v] = hn::LoadU(kFloat, values + v * kLanes);
  }
}

// Copies `count` floats out of whole vectors. Not inlined: it would take the
// registers that the loops of a tile need.
HWY_NOINLINE inline void CopyFirst(const float* vectors, std::size_t count,
                                   float* output) {
  for (std::size_t i = 0; i < count; i += kLanes) {
    StoreFirst(hn::Load(kFloat, vectors + i), std::min(count - i, kLanes),
               output + i);
  }
}

// Stores the first `columns` <= kWidth * kLanes floats of kWidth vectors,
// activated. `floor` comes from Floor().
template <std::size_t kWidth>
HWY_INLINE void StoreRow(const Float (&sums)[kWidth], Float floor,
                         std::size_t columns, float* output) {
  alignas(64) float partial[kWidth * kLanes];
  const bool is_partial = columns < kWidth * kLanes;
  float* const target = is_partial ? partial : output;
#pragma GCC unroll 16
  for (std::size_t v = 0; v < kWidth; ++v) {
    const Float sum = hn::Add(sums[v], hn::Zero(kFloat));  // -0 becomes +0.
    // Not Max(): a NaN must pass, on every target.
    hn::StoreU(hn::IfThenElse(hn::Lt(sum, floor), floor, sum), kFloat,
               target + v * kLanes);
  }
  if (is_partial) {
    CopyFirst(partial, columns, output);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CORE_KERNELS_DENSE_INL_H_
