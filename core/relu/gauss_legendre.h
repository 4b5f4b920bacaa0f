// GaussLegendre: where to look at a function on [0, 1], and with which weights,
// to integrate it.

#ifndef CORE_RELU_GAUSS_LEGENDRE_H_
#define CORE_RELU_GAUSS_LEGENDRE_H_

#include <cstddef>
#include <vector>

namespace relu {

struct QuadraturePoint {
  double at = 0.0;
  double weight = 0.0;  // All of them add up to 1.
};

// The Gauss-Legendre rule of so many points, ascending: exact for polynomials
// of degrees below 2 * points.
std::vector<QuadraturePoint> GaussLegendre(std::size_t points);

}  // namespace relu

#endif  // CORE_RELU_GAUSS_LEGENDRE_H_
