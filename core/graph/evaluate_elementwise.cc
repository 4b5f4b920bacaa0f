#include "core/graph/evaluate_elementwise.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "core/base/check.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

// What the functions of a node are, with its attributes.
struct Parameters {
  Operator op = Operator::kRelu;
  double alpha = 0;
  double beta = 0;
  bool is_tanh = false;  // Of Gelu.
};

double Attribute(const Node& node, std::string_view name) {
  return node.attributes.contains(name)
             ? static_cast<double>(FloatAttribute(node, name))
             : 0;
}

Parameters ParametersOf(const Node& node) {
  Parameters parameters{.op = node.op, .alpha = Attribute(node, "alpha")};
  parameters.beta =
      Attribute(node, node.op == Operator::kHardSigmoid ? "beta" : "gamma");
  if (node.op == Operator::kGelu) {
    parameters.is_tanh =
        std::get<std::string>(node.attributes.at("approximate")) == "tanh";
  }
  return parameters;
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Without overflow on the way.
double Softplus(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

double Gelu(double x, bool is_tanh) {
  if (!is_tanh) {
    return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
  }
  const double inner =
      std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1 + std::tanh(inner));
}

// NaN stays.
double ClampToUnit(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

// Functions that bend at zero or at alpha.
double Rectify(const Parameters& p, double x) {
  switch (p.op) {
    case Operator::kCelu:
      return x < 0 ? p.alpha * std::expm1(x / p.alpha) : x;
    case Operator::kElu:
      return x < 0 ? p.alpha * std::expm1(x) : x;
    case Operator::kHardSigmoid:
      return ClampToUnit(p.alpha * x + p.beta);
    case Operator::kHardSwish:
      return x * ClampToUnit(x / 6 + 0.5);
    case Operator::kLeakyRelu:
      return x < 0 ? p.alpha * x : x;
    case Operator::kSelu:
      return p.beta * (x < 0 ? p.alpha * std::expm1(x) : x);
    default:
      CHECK(p.op == Operator::kThresholdedRelu);
      return x <= p.alpha ? 0 : x;
  }
}

double Curve(const Parameters& p, double x) {
  switch (p.op) {
    case Operator::kErf:
      return std::erf(x);
    case Operator::kExp:
      return std::exp(x);
    case Operator::kGelu:
      return Gelu(x, p.is_tanh);
    case Operator::kLog:
      return std::log(x);
    case Operator::kMish:
      return x * std::tanh(Softplus(x));
    case Operator::kSigmoid:
      return Sigmoid(x);
    case Operator::kSoftplus:
      return Softplus(x);
    case Operator::kSoftsign:
      return x / (1 + std::abs(x));
    case Operator::kSwish:
      return x * Sigmoid(p.alpha * x);
    case Operator::kTanh:
      return std::tanh(x);
    default:
      return Rectify(p, x);
  }
}

double Compute(const Parameters& p, double x) {
  switch (p.op) {
    case Operator::kCeil:
      return std::ceil(x);
    case Operator::kFloor:
      return std::floor(x);
    case Operator::kReciprocal:
      return 1 / x;
    case Operator::kRound:
      return std::nearbyint(x);  // Ties to even, which nothing here changes.
    case Operator::kSqrt:
      return std::sqrt(x);
    default:
      return Curve(p, x);
  }
}

template <typename Number>
Number ComputeUnary(Operator op, Number x) {
  constexpr Number kZero = 0;
  switch (op) {
    case Operator::kAbs:
      if constexpr (std::is_same_v<Number, double>) {
        return std::abs(x);
      }
      return x < kZero ? ComputeUnary(Operator::kNeg, x) : x;
    case Operator::kNeg:
      if constexpr (std::is_same_v<Number, double>) {
        return -x;
      } else {
        // The lowest number has no opposite: it stays, as it wraps around.
        return static_cast<Number>(0 - static_cast<std::uint64_t>(x));
      }
    case Operator::kRelu:
      return x < kZero ? kZero : x;
    default:
      CHECK(op == Operator::kSign);
      return x < kZero ? static_cast<Number>(-1) : x > kZero ? Number{1} : x;
  }
}

template <typename Number>
Number Bound(const Evaluation& run, std::size_t index, Number otherwise) {
  return run.has_input(index) ? Load<Number>(run.input(index))[0] : otherwise;
}

}  // namespace

absl::Status EvaluateActivation(const Evaluation& run) {
  const Parameters parameters = ParametersOf(run.node);
  std::vector<double> values = ToDoubles(run.input(0));
  for (double& value : values) {
    value = Compute(parameters, value);
  }
  run.Set(Store(run.results[0], values));
  return absl::OkStatus();
}

absl::Status EvaluateUnary(const Evaluation& run) {
  VisitNumber(run.type(), [&](auto zero) {
    std::vector<decltype(zero)> values = Load<decltype(zero)>(run.input(0));
    for (auto& value : values) {
      value = ComputeUnary(run.node.op, value);
    }
    run.Set(Store(run.results[0], values));
  });
  return absl::OkStatus();
}

absl::Status EvaluateClip(const Evaluation& run) {
  VisitNumber(run.type(), [&](auto zero) {
    using Number = decltype(zero);
    std::vector<Number> values = Load<Number>(run.input(0));
    Number low = std::numeric_limits<Number>::lowest();
    Number high = std::numeric_limits<Number>::max();
    if constexpr (std::is_same_v<Number, double>) {
      low = static_cast<double>(FloatAttribute(run.node, "min"));
      high = static_cast<double>(FloatAttribute(run.node, "max"));
    }
    low = Bound(run, 1, low);
    high = Bound(run, 2, high);
    for (Number& value : values) {
      value = value < low ? low : value;
      value = value > high ? high : value;
    }
    run.Set(Store(run.results[0], values));
  });
  return absl::OkStatus();
}

absl::Status EvaluateNot(const Evaluation& run) {
  std::vector<std::int64_t> values = ToIntegers(run.input(0));
  for (std::int64_t& value : values) {
    value = 1 - value;
  }
  run.Set(Store(run.results[0], values));
  return absl::OkStatus();
}

absl::Status EvaluateCast(const Evaluation& run) {
  const Tensor& input = run.input(0);
  if (IsFloatingPoint(run.type()) || IsFloatingPoint(input.type())) {
    run.Set(Store(run.results[0], ToDoubles(input)));
  } else {
    run.Set(Store(run.results[0], ToIntegers(input)));
  }
  return absl::OkStatus();
}

}  // namespace relu
