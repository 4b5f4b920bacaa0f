#include "core/relu/gauss_legendre.h"

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace relu {
namespace {

struct Legendre {
  double value = 0.0;
  double slope = 0.0;
};

// The Legendre polynomial of this degree and its derivative at x, |x| < 1.
Legendre LegendreAt(std::size_t degree, double x) {
  double previous = 1.0;
  double value = x;
  for (std::size_t i = 2; i <= degree; ++i) {
    const auto n = static_cast<double>(i);
    const double next =
        ((2.0 * n - 1.0) * x * value - (n - 1.0) * previous) / n;
    previous = value;
    value = next;
  }
  const auto n = static_cast<double>(degree);
  return {.value = value, .slope = n * (x * value - previous) / (x * x - 1.0)};
}

}  // namespace

std::vector<QuadraturePoint> GaussLegendre(std::size_t points) {
  // Newton's method from Tricomi's estimate doubles the digits at each step.
  constexpr int kSteps = 6;
  std::vector<QuadraturePoint> rule(points);
  const auto n = static_cast<double>(points);
  for (std::size_t i = 0; i < points; ++i) {
    double x = -std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) /
                         (n + 0.5));
    for (int step = 0; step < kSteps; ++step) {
      const Legendre polynomial = LegendreAt(points, x);
      x -= polynomial.value / polynomial.slope;
    }
    const double slope = LegendreAt(points, x).slope;
    // Those on [-1, 1] have the sum 2.
    rule[i] = {.at = (1.0 + x) / 2.0,
               .weight = 1.0 / ((1.0 - x * x) * slope * slope)};
  }
  return rule;
}

}  // namespace relu
