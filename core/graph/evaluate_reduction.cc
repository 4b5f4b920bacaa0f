#include "core/graph/evaluate_reduction.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

// Whether `a` comes before `b` where the greatest, or the least, comes first.
// NaN counts as greater than all numbers where the greatest is wanted.
template <typename Number>
bool IsBefore(Number a, Number b, bool greatest) {
  if (IsNan(a) || IsNan(b)) {
    return greatest ? IsNan(a) && !IsNan(b) : !IsNan(a) && IsNan(b);
  }
  return greatest ? a > b : a < b;
}

// The place of the greatest or least of `size` values, `stride` apart. NaN is
// found before any number.
template <typename Number>
std::int64_t FindExtreme(const Evaluation& run, const Number* values,
                         const AxisView& view) {
  const bool greatest = run.node.op == Operator::kArgMax;
  const bool last = IntAttribute(run.node, "select_last_index") != 0;
  const auto is_before = [&](Number a, Number b) {
    return IsNan(a) || IsNan(b) ? IsNan(a) && !IsNan(b)
                                : IsBefore(a, b, greatest);
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < view.size; ++i) {
    const Number value = values[i * view.inner];
    const Number found = values[best * view.inner];
    if (is_before(value, found) || (last && !is_before(found, value))) {
      best = i;
    }
  }
  return static_cast<std::int64_t>(best);
}

template <typename Number>
Number FirstOf(Operator op) {
  using Limits = std::numeric_limits<Number>;
  constexpr bool kIsDouble = std::is_same_v<Number, double>;
  switch (op) {
    case Operator::kReduceMax:
      return kIsDouble ? -Limits::infinity() : Limits::lowest();
    case Operator::kReduceMin:
      return kIsDouble ? Limits::infinity() : Limits::max();
    case Operator::kReduceProd:
      return 1;
    default:  // Sum, mean.
      return 0;
  }
}

template <typename Number>
Number Join(Operator op, Number a, Number b) {
  using Wide =
      std::conditional_t<std::is_same_v<Number, double>, double, std::uint64_t>;
  switch (op) {
    case Operator::kReduceMax:
      return IsNan(a) || a > b ? a : b;
    case Operator::kReduceMin:
      return IsNan(a) || a < b ? a : b;
    case Operator::kReduceProd:
      return static_cast<Number>(static_cast<Wide>(a) * static_cast<Wide>(b));
    default:
      return static_cast<Number>(static_cast<Wide>(a) + static_cast<Wide>(b));
  }
}

template <typename Number>
void Reduce(const Evaluation& run) {
  const Shape& from = run.input(0).shape();
  Shape kept = from;  // As the result is with all dimensions.
  std::int64_t reduced = 1;
  for (const std::int64_t axis : IntsAttribute(run.node, "axes")) {
    reduced *= kept[static_cast<std::size_t>(axis)];
    kept[static_cast<std::size_t>(axis)] = 1;
  }
  const Operator op = run.node.op;
  std::vector<Number> result(
      static_cast<std::size_t>(ElementCount(kept).value()),
      FirstOf<Number>(op));
  IndexWalk places = BroadcastWalk(kept, from);
  for (const Number value : Load<Number>(run.input(0))) {
    Number& sum = result[places.Next()];
    sum = Join(op, sum, value);
  }
  if (op == Operator::kReduceMean) {
    for (Number& value : result) {
      value /= static_cast<Number>(reduced);
    }
  }
  run.Set(Store(run.results[0], result));
}

template <typename Number>
void TakeTop(const Evaluation& run) {
  const std::vector<Number> values = Load<Number>(run.input(0));
  const std::int64_t axis = IntAttribute(run.node, "axis");
  const AxisView from = ViewFromAxis(run.input(0).shape(), axis);
  const AxisView to = ViewFromAxis(run.shape(), axis);
  const bool greatest = IntAttribute(run.node, "largest") != 0;
  std::vector<Number> top(to.lines() * to.size);
  std::vector<std::int64_t> places(top.size());
  std::vector<std::size_t> order(from.size);
  for (std::size_t line = 0; line < to.lines(); ++line) {
    const Number* first = values.data() + from.LineBegin(line);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
      return IsBefore(first[a * from.inner], first[b * from.inner], greatest);
    });
    for (std::size_t i = 0; i < to.size; ++i) {
      const std::size_t place = to.LineBegin(line) + i * to.inner;
      top[place] = first[order[i] * from.inner];
      places[place] = static_cast<std::int64_t>(order[i]);
    }
  }
  run.outputs[0] = Store(run.results[0], top);
  run.outputs[1] = Store(run.results[1], places);
}

}  // namespace

absl::Status EvaluateArgMax(const Evaluation& run) {
  const AxisView view =
      ViewFromAxis(run.input(0).shape(), IntAttribute(run.node, "axis"));
  VisitNumber(run.input(0).type(), [&](auto zero) {
    const auto values = Load<decltype(zero)>(run.input(0));
    std::vector<std::int64_t> places(view.lines());
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i] = FindExtreme(run, values.data() + view.LineBegin(i), view);
    }
    run.Set(Store(run.results[0], places));
  });
  return absl::OkStatus();
}

absl::Status EvaluateReduction(const Evaluation& run) {
  VisitNumber(run.type(), [&](auto zero) { Reduce<decltype(zero)>(run); });
  return absl::OkStatus();
}

absl::Status EvaluateTopK(const Evaluation& run) {
  VisitNumber(run.type(), [&](auto zero) { TakeTop<decltype(zero)>(run); });
  return absl::OkStatus();
}

}  // namespace relu
