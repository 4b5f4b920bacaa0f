#include "core/graph/evaluate_product.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"

#include "core/graph/elements.h"
#include "core/graph/evaluate_quantization.h"
#include "core/graph/graph.h"
#include "core/graph/matrix_product.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

// Integers are never scaled: the import has seen to that.
template <typename Number>
void Scale(const Node& node, std::string_view attribute,
           std::vector<Number>& values) {
  if constexpr (std::is_same_v<Number, double>) {
    const auto factor = static_cast<double>(FloatAttribute(node, attribute));
    for (double& value : values) {
      value *= factor;
    }
  }
}

// Integers wrap around.
template <typename Number>
Number Sum(Number a, Number b) {
  using Wide =
      std::conditional_t<std::is_same_v<Number, double>, double, std::uint64_t>;
  return static_cast<Number>(static_cast<Wide>(a) + static_cast<Wide>(b));
}

template <typename Number>
void ComputeGemm(const Evaluation& run) {
  const bool transposed_a = IntAttribute(run.node, "transA") != 0;
  const Shape& left = run.input(0).shape();
  const MatrixProduct product{
      .m = static_cast<std::size_t>(run.shape()[0]),
      .k = static_cast<std::size_t>(left[transposed_a ? 0 : 1]),
      .n = static_cast<std::size_t>(run.shape()[1]),
      .transposed_a = transposed_a,
      .transposed_b = IntAttribute(run.node, "transB") != 0};
  std::vector<Number> values(product.m * product.n);
  const std::vector<Number> a = Load<Number>(run.input(0));
  const std::vector<Number> b = Load<Number>(run.input(1));
  MultiplyMatrices<Number>(product, a, b, values);
  Scale(run.node, "alpha", values);
  if (run.has_input(2)) {
    std::vector<Number> c = LoadBroadcast<Number>(run.input(2), run.shape());
    Scale(run.node, "beta", c);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = Sum(values[i], c[i]);
    }
  }
  run.Set(Store(run.results[0], values));
}

// The elements of matrix `input` less their zero points: one for all, or one
// for each row (of a matrix on the left) or column (on the right).
enum class Side { kLeft, kRight };
std::vector<std::int64_t> Centered(const Evaluation& run, std::size_t input,
                                   std::size_t zero_point, Side side) {
  std::vector<std::int64_t> values = ToIntegers(run.input(input));
  if (!run.has_input(zero_point)) {
    return values;
  }
  const std::vector<std::int64_t> zeros = ToIntegers(run.input(zero_point));
  const Shape& shape = run.input(input).shape();
  const auto columns = static_cast<std::size_t>(shape.back());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t place = side == Side::kLeft ? i / columns : i % columns;
    values[i] -= zeros[place % zeros.size()];
  }
  return values;
}

}  // namespace

absl::Status EvaluateGemm(const Evaluation& run) {
  VisitNumber(run.type(), [&](auto zero) { ComputeGemm<decltype(zero)>(run); });
  return absl::OkStatus();
}

absl::Status EvaluateMatMul(const Evaluation& run) {
  VisitNumber(run.type(), [&](auto zero) {
    using Number = decltype(zero);
    const std::vector<Number> a = Load<Number>(run.input(0));
    const std::vector<Number> b = Load<Number>(run.input(1));
    run.Set(Store(run.results[0],
                  MultiplyTensors<Number>(run.input(0).shape(), a,
                                          run.input(1).shape(), b)));
  });
  return absl::OkStatus();
}

absl::Status EvaluateMatMulInteger(const Evaluation& run) {
  run.Set(Store(run.results[0],
                MultiplyTensors<std::int64_t>(
                    run.input(0).shape(), Centered(run, 0, 2, Side::kLeft),
                    run.input(1).shape(), Centered(run, 1, 3, Side::kRight))));
  return absl::OkStatus();
}

absl::Status EvaluateQLinearMatMul(const Evaluation& run) {
  const std::vector<std::int64_t> sums = MultiplyTensors<std::int64_t>(
      run.input(0).shape(), Centered(run, 0, 2, Side::kLeft),
      run.input(3).shape(), Centered(run, 3, 5, Side::kRight));
  const std::vector<double> left = ToDoubles(run.input(1));
  const std::vector<double> right = ToDoubles(run.input(4));
  const double scale = ToDoubles(run.input(6))[0];
  const auto zero = static_cast<double>(ToIntegers(run.input(7))[0]);
  const std::size_t columns =
      run.input(3).shape().size() < 2
          ? 1
          : static_cast<std::size_t>(run.input(3).shape().back());
  std::vector<double> values(sums.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double factor = left[i / columns % left.size()] *
                          right[i % columns % right.size()] / scale;
    values[i] = Quantize(static_cast<double>(sums[i]) * factor, zero);
  }
  run.Set(Store(run.results[0], values));
  return absl::OkStatus();
}

}  // namespace relu
