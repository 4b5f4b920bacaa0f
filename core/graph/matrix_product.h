// MultiplyMatrices: products of matrices, as MatMul defines them for tensors of
// any rank, and as Gemm does.

#ifndef CORE_GRAPH_MATRIX_PRODUCT_H_
#define CORE_GRAPH_MATRIX_PRODUCT_H_

#include <cstddef>
#include <span>
#include <vector>

#include "core/graph/evaluation.h"
#include "core/tensor/shape.h"

namespace relu {

// Two matrices [m, k] and [k, n], each stored as it is or transposed.
struct MatrixProduct {
  std::size_t m = 1;
  std::size_t k = 1;
  std::size_t n = 1;
  bool transposed_a = false;
  bool transposed_b = false;
};

// Adds the product of `a` and `b` to `sums`, [m, n]. Each sum goes in ascending
// order of k. Number is double, std::int64_t or std::uint64_t; integers wrap
// around.
template <typename Number>
void MultiplyMatrices(const MatrixProduct& product, std::span<const Number> a,
                      std::span<const Number> b, std::span<Number> sums);

// The product of tensors of these shapes, which the import has checked, as
// MatMul has it: vectors are matrices of one row or column, and dimensions
// before the last two broadcast. Row-major.
template <typename Number>
std::vector<Number> MultiplyTensors(const Shape& shape_a,
                                    std::span<const Number> a,
                                    const Shape& shape_b,
                                    std::span<const Number> b);

}  // namespace relu

#endif  // CORE_GRAPH_MATRIX_PRODUCT_H_
