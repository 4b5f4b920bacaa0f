#include "core/graph/evaluate_compute.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

double Calculate(Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd:
      return a + b;
    case Operator::kSub:
      return a - b;
    case Operator::kMul:
      return a * b;
    default:
      return a / b;
  }
}

// Modulo 2^64; `b` is not zero where it divides.
std::int64_t Calculate(Operator op, std::int64_t a, std::int64_t b) {
  const auto x = static_cast<std::uint64_t>(a);
  const auto y = static_cast<std::uint64_t>(b);
  switch (op) {
    case Operator::kAdd:
      return static_cast<std::int64_t>(x + y);
    case Operator::kSub:
      return static_cast<std::int64_t>(x - y);
    case Operator::kMul:
      return static_cast<std::int64_t>(x * y);
    default:
      // The lowest number divided by -1 does not fit.
      return b == -1 ? static_cast<std::int64_t>(0 - x) : a / b;
  }
}

template <typename Number>
std::vector<Number> CalculateAll(const Evaluation& run,
                                 std::span<const Number> a,
                                 std::span<const Number> b) {
  IndexWalk from_a = BroadcastWalk(run.input(0).shape(), run.result.shape);
  IndexWalk from_b = BroadcastWalk(run.input(1).shape(), run.result.shape);
  std::vector<Number> result(
      static_cast<std::size_t>(ElementCount(run.result.shape).value()));
  for (Number& value : result) {
    value = Calculate(run.node.op, a[from_a.Next()], b[from_b.Next()]);
  }
  return result;
}

// Two matrices [m, k] and [k, n], each stored as it is or transposed.
struct Product {
  std::size_t m = 1;
  std::size_t k = 1;
  std::size_t n = 1;
  bool transposed_a = false;
  bool transposed_b = false;
};

// The places of a[row][i] and b[i][column] as they are stored.
std::size_t LeftPlace(const Product& product, std::size_t row, std::size_t i) {
  return product.transposed_a ? i * product.m + row : row * product.k + i;
}
std::size_t RightPlace(const Product& product, std::size_t i,
                       std::size_t column) {
  return product.transposed_b ? column * product.k + i : i * product.n + column;
}

// Adds row `row` of the product to `sums`, along the rows of `b` as it is
// stored, for the sake of the cache.
void MultiplyRow(const Product& product, std::size_t row,
                 std::span<const double> a, std::span<const double> b,
                 std::span<double> sums) {
  if (product.transposed_b) {
    for (std::size_t j = 0; j < product.n; ++j) {
      for (std::size_t i = 0; i < product.k; ++i) {
        sums[j] += a[LeftPlace(product, row, i)] * b[RightPlace(product, i, j)];
      }
    }
    return;
  }
  for (std::size_t i = 0; i < product.k; ++i) {
    const double factor = a[LeftPlace(product, row, i)];
    for (std::size_t j = 0; j < product.n; ++j) {
      sums[j] += factor * b[RightPlace(product, i, j)];
    }
  }
}

std::vector<double> Multiply(const Product& product, const Tensor& left,
                             const Tensor& right) {
  const std::vector<double> a = ToDoubles(left);
  const std::vector<double> b = ToDoubles(right);
  std::vector<double> result(product.m * product.n);
  for (std::size_t row = 0; row < product.m; ++row) {
    MultiplyRow(product, row, a, b,
                std::span(result).subspan(row * product.n, product.n));
  }
  return result;
}

// The place of the greatest of `size` values, `stride` apart.
template <typename Number>
std::int64_t FindGreatest(const Number* values, std::size_t size,
                          std::size_t stride, bool select_last) {
  // NaN is above everything and equal to itself.
  const auto less = [](Number a, Number b) {
    if constexpr (std::is_floating_point_v<Number>) {
      if (std::isnan(b)) {
        return !std::isnan(a);
      }
    }
    return a < b;
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < size; ++i) {
    const Number value = values[i * stride];
    const Number greatest = values[best * stride];
    if (less(greatest, value) || (select_last && !less(value, greatest))) {
      best = i;
    }
  }
  return static_cast<std::int64_t>(best);
}

template <typename Number>
Tensor ArgMaxOf(const Evaluation& run, const std::vector<Number>& values) {
  const AxisView view =
      ViewFromAxis(run.input(0).shape(), IntAttribute(run.node, "axis"));
  const bool last = IntAttribute(run.node, "select_last_index") != 0;
  std::vector<std::int64_t> places(view.lines());
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] = FindGreatest(values.data() + view.LineBegin(i), view.size,
                             view.inner, last);
  }
  return FromIntegers(DataType::kInt64, run.result.shape, places);
}

// `size` values, `stride` apart. The greatest is taken off first, so that no
// exponential overflows.
void SoftmaxLine(double* values, std::size_t size, std::size_t stride) {
  double greatest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < size; ++i) {
    greatest = std::max(greatest, values[i * stride]);
  }
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    double& value = values[i * stride];
    value = std::exp(value - greatest);
    sum += value;
  }
  for (std::size_t i = 0; i < size; ++i) {
    values[i * stride] /= sum;
  }
}

}  // namespace

Tensor EvaluateActivation(const Evaluation& run) {
  std::vector<double> values = ToDoubles(run.input(0));
  for (double& value : values) {
    if (run.node.op == Operator::kRelu) {
      value = value < 0 ? 0 : value;  // NaN stays.
    } else if (run.node.op == Operator::kSigmoid) {
      value = 1 / (1 + std::exp(-value));
    } else {
      value = std::tanh(value);
    }
  }
  return FromDoubles(run.result.type, run.result.shape, values);
}

Tensor EvaluateArgMax(const Evaluation& run) {
  const Tensor& input = run.input(0);
  if (input.type() == DataType::kUint64) {
    // 2^63 taken off each keeps their order and makes them fit.
    std::vector<std::int64_t> values = ToIntegers(input);
    for (std::int64_t& value : values) {
      value ^= std::numeric_limits<std::int64_t>::min();
    }
    return ArgMaxOf(run, values);
  }
  return IsFloatingPoint(input.type()) ? ArgMaxOf(run, ToDoubles(input))
                                       : ArgMaxOf(run, ToIntegers(input));
}

absl::StatusOr<Tensor> EvaluateArithmetic(const Evaluation& run) {
  const auto& [type, shape] = run.result;
  if (IsFloatingPoint(type)) {
    return FromDoubles(type, shape,
                       CalculateAll<double>(run, ToDoubles(run.input(0)),
                                            ToDoubles(run.input(1))));
  }
  const std::vector<std::int64_t> b = ToIntegers(run.input(1));
  if (run.node.op == Operator::kDiv && std::ranges::find(b, 0) != b.end()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: an integer is divided by zero", NodeText(run.node)));
  }
  return FromIntegers(
      type, shape,
      CalculateAll<std::int64_t>(run, ToIntegers(run.input(0)), b));
}

Tensor EvaluateCast(const Evaluation& run) {
  const auto& [type, shape] = run.result;
  if (IsFloatingPoint(type) || IsFloatingPoint(run.input(0).type())) {
    return FromDoubles(type, shape, ToDoubles(run.input(0)));
  }
  return FromIntegers(type, shape, ToIntegers(run.input(0)));
}

Tensor EvaluateGemm(const Evaluation& run) {
  const bool transposed_a = IntAttribute(run.node, "transA") != 0;
  const auto& [type, shape] = run.result;
  std::vector<double> values = Multiply(
      {.m = static_cast<std::size_t>(shape[0]),
       .k =
           static_cast<std::size_t>(run.input(0).shape()[transposed_a ? 0 : 1]),
       .n = static_cast<std::size_t>(shape[1]),
       .transposed_a = transposed_a,
       .transposed_b = IntAttribute(run.node, "transB") != 0},
      run.input(0), run.input(1));
  const auto alpha = static_cast<double>(FloatAttribute(run.node, "alpha"));
  for (double& value : values) {
    value *= alpha;
  }
  if (run.has_input(2)) {
    const auto beta = static_cast<double>(FloatAttribute(run.node, "beta"));
    const std::vector<double> c = ToDoubles(run.input(2));
    IndexWalk from_c = BroadcastWalk(run.input(2).shape(), shape);
    for (double& value : values) {
      value += beta * c[from_c.Next()];
    }
  }
  return FromDoubles(type, shape, values);
}

Tensor EvaluateMatMul(const Evaluation& run) {
  const Tensor& a = run.input(0);
  const Shape& weights = run.input(1).shape();
  const auto k = static_cast<std::size_t>(weights[0]);
  // All dimensions of `a` but the last count rows.
  return FromDoubles(
      run.result.type, run.result.shape,
      Multiply(
          {.m = static_cast<std::size_t>(a.element_count()) / k,
           .k = k,
           .n = weights.size() == 1 ? 1 : static_cast<std::size_t>(weights[1])},
          a, run.input(1)));
}

Tensor EvaluateSoftmax(const Evaluation& run) {
  AxisView view =
      ViewFromAxis(run.input(0).shape(), IntAttribute(run.node, "axis"));
  if (IntAttribute(run.node, "flatten") != 0) {
    view = {.outer = view.outer, .size = view.size * view.inner, .inner = 1};
  }
  std::vector<double> values = ToDoubles(run.input(0));
  for (std::size_t i = 0; i < view.lines(); ++i) {
    SoftmaxLine(values.data() + view.LineBegin(i), view.size, view.inner);
  }
  return FromDoubles(run.result.type, run.result.shape, values);
}

}  // namespace relu
