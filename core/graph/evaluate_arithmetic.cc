#include "core/graph/evaluate_arithmetic.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

template <typename Number>
Number Divide(Number a, Number b) {
  if constexpr (std::is_same_v<Number, std::int64_t>) {
    if (b == -1) {  // The lowest number divided by it does not fit.
      return static_cast<Number>(0 - static_cast<std::uint64_t>(a));
    }
  }
  return a / b;
}

// Integers modulo 2^64; `b` is not zero where it divides one.
template <typename Number>
Number Calculate(Operator op, Number a, Number b) {
  // Where overflow is defined.
  using Wide =
      std::conditional_t<std::is_same_v<Number, double>, double, std::uint64_t>;
  switch (op) {
    case Operator::kSub:
      return static_cast<Number>(static_cast<Wide>(a) - static_cast<Wide>(b));
    case Operator::kMul:
      return static_cast<Number>(static_cast<Wide>(a) * static_cast<Wide>(b));
    case Operator::kDiv:
      return Divide(a, b);
    case Operator::kMax:
      return IsNan(a) || a > b ? a : b;
    case Operator::kMin:
      return IsNan(a) || a < b ? a : b;
    default:  // Add, Sum, Mean.
      return static_cast<Number>(static_cast<Wide>(a) + static_cast<Wide>(b));
  }
}

template <typename Number>
std::vector<Number> CalculateAll(const Evaluation& run) {
  std::vector<Number> result = LoadBroadcast<Number>(run.input(0), run.shape());
  for (std::size_t i = 1; i < run.inputs.size(); ++i) {
    const std::vector<Number> other =
        LoadBroadcast<Number>(run.input(i), run.shape());
    for (std::size_t j = 0; j < result.size(); ++j) {
      result[j] = Calculate(run.node.op, result[j], other[j]);
    }
  }
  return result;
}

// Modulo 2^64. A negative exponent gives 1 / x^n towards zero.
std::int64_t IntegerPower(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    const bool is_odd = exponent % 2 != 0;
    return base == 1 ? 1 : base == -1 ? (is_odd ? -1 : 1) : 0;
  }
  std::uint64_t result = 1;
  for (auto square = static_cast<std::uint64_t>(base); exponent > 0;
       exponent /= 2) {
    result *= exponent % 2 != 0 ? square : 1;
    square *= square;
  }
  return static_cast<std::int64_t>(result);
}

template <typename Number>
bool Compare(Operator op, Number a, Number b) {
  switch (op) {
    case Operator::kEqual:
      return a == b;
    case Operator::kGreater:
      return a > b;
    case Operator::kGreaterOrEqual:
      return a >= b;
    case Operator::kLess:
      return a < b;
    default:  // LessOrEqual.
      return a <= b;
  }
}

template <typename Number>
void Select(const Evaluation& run) {
  const auto conditions =
      LoadBroadcast<std::int64_t>(run.input(0), run.shape());
  std::vector<Number> values = LoadBroadcast<Number>(run.input(1), run.shape());
  const std::vector<Number> others =
      LoadBroadcast<Number>(run.input(2), run.shape());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = conditions[i] != 0 ? values[i] : others[i];
  }
  run.Set(Store(run.results[0], values));
}

}  // namespace

absl::Status EvaluateArithmetic(const Evaluation& run) {
  const bool is_float = IsFloatingPoint(run.type());
  if (run.node.op == Operator::kDiv && !is_float &&
      std::ranges::count(ToIntegers(run.input(1)), 0) > 0) {
    return absl::InvalidArgumentError(
        fmt::format("{}: an integer is divided by zero", NodeText(run.node)));
  }
  VisitNumber(run.type(), [&](auto zero) {
    std::vector<decltype(zero)> values = CalculateAll<decltype(zero)>(run);
    if (run.node.op == Operator::kMean) {
      for (auto& value : values) {
        value = Divide(value, static_cast<decltype(zero)>(run.inputs.size()));
      }
    }
    run.Set(Store(run.results[0], values));
  });
  return absl::OkStatus();
}

absl::Status EvaluatePow(const Evaluation& run) {
  const Tensor& exponent = run.input(1);
  if (!IsFloatingPoint(run.type()) && !IsFloatingPoint(exponent.type())) {
    auto values = LoadBroadcast<std::int64_t>(run.input(0), run.shape());
    const auto exponents = LoadBroadcast<std::int64_t>(exponent, run.shape());
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = IntegerPower(values[i], exponents[i]);
    }
    run.Set(Store(run.results[0], values));
    return absl::OkStatus();
  }
  auto values = LoadBroadcast<double>(run.input(0), run.shape());
  const auto exponents = LoadBroadcast<double>(exponent, run.shape());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::pow(values[i], exponents[i]);
  }
  run.Set(Store(run.results[0], values));
  return absl::OkStatus();
}

absl::Status EvaluatePRelu(const Evaluation& run) {
  VisitNumber(run.type(), [&](auto zero) {
    using Number = decltype(zero);
    std::vector<Number> values = Load<Number>(run.input(0));
    const auto slopes = LoadBroadcast<Number>(run.input(1), run.shape());
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = values[i] < zero
                      ? Calculate(Operator::kMul, values[i], slopes[i])
                      : values[i];
    }
    run.Set(Store(run.results[0], values));
  });
  return absl::OkStatus();
}

absl::Status EvaluateComparison(const Evaluation& run) {
  VisitNumber(run.input(0).type(), [&](auto zero) {
    using Number = decltype(zero);
    const auto a = LoadBroadcast<Number>(run.input(0), run.shape());
    const auto b = LoadBroadcast<Number>(run.input(1), run.shape());
    std::vector<std::int64_t> values(a.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = Compare(run.node.op, a[i], b[i]) ? 1 : 0;
    }
    run.Set(Store(run.results[0], values));
  });
  return absl::OkStatus();
}

absl::Status EvaluateLogic(const Evaluation& run) {
  auto values = LoadBroadcast<std::int64_t>(run.input(0), run.shape());
  const auto others = LoadBroadcast<std::int64_t>(run.input(1), run.shape());
  for (std::size_t i = 0; i < values.size(); ++i) {
    switch (run.node.op) {
      case Operator::kAnd:
        values[i] &= others[i];
        break;
      case Operator::kOr:
        values[i] |= others[i];
        break;
      default:  // Xor.
        values[i] ^= others[i];
    }
  }
  run.Set(Store(run.results[0], values));
  return absl::OkStatus();
}

absl::Status EvaluateWhere(const Evaluation& run) {
  VisitNumber(run.type(), [&](auto zero) { Select<decltype(zero)>(run); });
  return absl::OkStatus();
}

}  // namespace relu
