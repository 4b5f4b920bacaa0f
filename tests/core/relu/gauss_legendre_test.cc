#include "core/relu/gauss_legendre.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

namespace relu {
namespace {

// The integral of x^degree over [0, 1] is 1 / (degree + 1).
double ErrorOfPower(const std::vector<QuadraturePoint>& rule, int degree) {
  double sum = 0.0;
  for (const QuadraturePoint& point : rule) {
    sum += point.weight * std::pow(point.at, degree);
  }
  return std::abs(sum - 1.0 / (degree + 1));
}

TEST(GaussLegendreTest, IsExactBelowTwiceItsPoints) {
  for (const int points : {1, 2, 5, 50}) {
    const auto rule = GaussLegendre(static_cast<std::size_t>(points));
    for (int degree = 0; degree < 2 * points; ++degree) {
      EXPECT_LT(ErrorOfPower(rule, degree), 1e-14)
          << points << " points, degree " << degree;
    }
    EXPECT_GT(ErrorOfPower(rule, 2 * points), 1e-40);
  }
}

TEST(GaussLegendreTest, ThreePointsAreThoseOfTheTables) {
  const auto rule = GaussLegendre(3);
  EXPECT_NEAR(rule[0].at, 0.5 - std::sqrt(0.15), 1e-15);
  EXPECT_NEAR(rule[1].at, 0.5, 1e-15);
  EXPECT_NEAR(rule[2].at, 0.5 + std::sqrt(0.15), 1e-15);
  EXPECT_NEAR(rule[0].weight, 5.0 / 18, 1e-15);
  EXPECT_NEAR(rule[1].weight, 8.0 / 18, 1e-15);
}

TEST(GaussLegendreTest, PointsAscendInsideOfTheInterval) {
  const auto rule = GaussLegendre(50);
  double last = 0.0;
  for (const QuadraturePoint& point : rule) {
    EXPECT_GT(point.at, last);
    EXPECT_GT(point.weight, 0.0);
    last = point.at;
  }
  EXPECT_LT(last, 1.0);
}

}  // namespace
}  // namespace relu
