#include "core/graph/matrix_product.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "core/graph/evaluation.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

// Where overflow is defined.
template <typename Number>
Number MultiplyAdd(Number sum, Number a, Number b) {
  using Wide =
      std::conditional_t<std::is_same_v<Number, double>, double, std::uint64_t>;
  return static_cast<Number>(static_cast<Wide>(sum) +
                             static_cast<Wide>(a) * static_cast<Wide>(b));
}

// The places of a[row][i] and b[i][column] as they are stored.
std::size_t LeftPlace(const MatrixProduct& product, std::size_t row,
                      std::size_t i) {
  return product.transposed_a ? i * product.m + row : row * product.k + i;
}
std::size_t RightPlace(const MatrixProduct& product, std::size_t i,
                       std::size_t column) {
  return product.transposed_b ? column * product.k + i : i * product.n + column;
}

// Along the rows of `b` as it is stored, for the sake of the cache.
template <typename Number>
void MultiplyRow(const MatrixProduct& product, std::size_t row,
                 std::span<const Number> a, std::span<const Number> b,
                 std::span<Number> sums) {
  if (product.transposed_b) {
    for (std::size_t j = 0; j < product.n; ++j) {
      for (std::size_t i = 0; i < product.k; ++i) {
        sums[j] = MultiplyAdd(sums[j], a[LeftPlace(product, row, i)],
                              b[RightPlace(product, i, j)]);
      }
    }
    return;
  }
  for (std::size_t i = 0; i < product.k; ++i) {
    const Number factor = a[LeftPlace(product, row, i)];
    for (std::size_t j = 0; j < product.n; ++j) {
      sums[j] = MultiplyAdd(sums[j], factor, b[RightPlace(product, i, j)]);
    }
  }
}

// The dimensions before the last two.
Shape Stack(const Shape& shape) {
  return {shape.begin(),
          shape.end() - static_cast<std::ptrdiff_t>(
                            std::min<std::size_t>(shape.size(), 2))};
}

Shape BroadcastStacks(Shape a, Shape b) {
  Shape& longer = a.size() < b.size() ? b : a;
  const Shape& shorter = a.size() < b.size() ? a : b;
  const std::size_t added = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& size = longer[added + i];
    size = size == 1 ? shorter[i] : size;
  }
  return longer;
}

}  // namespace

template <typename Number>
void MultiplyMatrices(const MatrixProduct& product, std::span<const Number> a,
                      std::span<const Number> b, std::span<Number> sums) {
  for (std::size_t row = 0; row < product.m; ++row) {
    MultiplyRow(product, row, a, b, sums.subspan(row * product.n, product.n));
  }
}

template <typename Number>
std::vector<Number> MultiplyTensors(const Shape& shape_a,
                                    std::span<const Number> a,
                                    const Shape& shape_b,
                                    std::span<const Number> b) {
  const auto size = [](const Shape& shape, std::size_t from_end) {
    return static_cast<std::size_t>(shape[shape.size() - from_end]);
  };
  const MatrixProduct product{.m = shape_a.size() < 2 ? 1 : size(shape_a, 2),
                              .k = size(shape_a, 1),
                              .n = shape_b.size() < 2 ? 1 : size(shape_b, 1)};
  const Shape stack = BroadcastStacks(Stack(shape_a), Stack(shape_b));
  const auto matrices = static_cast<std::size_t>(ElementCount(stack).value());
  IndexWalk from_a = BroadcastWalk(Stack(shape_a), stack);
  IndexWalk from_b = BroadcastWalk(Stack(shape_b), stack);
  std::vector<Number> sums(matrices * product.m * product.n);
  for (std::size_t i = 0; i < matrices; ++i) {
    MultiplyMatrices(
        product,
        a.subspan(from_a.Next() * product.m * product.k, product.m * product.k),
        b.subspan(from_b.Next() * product.k * product.n, product.k * product.n),
        std::span(sums).subspan(i * product.m * product.n,
                                product.m * product.n));
  }
  return sums;
}

template void MultiplyMatrices<double>(const MatrixProduct&,
                                       std::span<const double>,
                                       std::span<const double>,
                                       std::span<double>);
template void MultiplyMatrices<std::int64_t>(const MatrixProduct&,
                                             std::span<const std::int64_t>,
                                             std::span<const std::int64_t>,
                                             std::span<std::int64_t>);
template void MultiplyMatrices<std::uint64_t>(const MatrixProduct&,
                                              std::span<const std::uint64_t>,
                                              std::span<const std::uint64_t>,
                                              std::span<std::uint64_t>);
template std::vector<double> MultiplyTensors<double>(const Shape&,
                                                     std::span<const double>,
                                                     const Shape&,
                                                     std::span<const double>);
template std::vector<std::int64_t> MultiplyTensors<std::int64_t>(
    const Shape&, std::span<const std::int64_t>, const Shape&,
    std::span<const std::int64_t>);
template std::vector<std::uint64_t> MultiplyTensors<std::uint64_t>(
    const Shape&, std::span<const std::uint64_t>, const Shape&,
    std::span<const std::uint64_t>);

}  // namespace relu
