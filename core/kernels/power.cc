#include "core/kernels/power.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/kernels/double_math.h"

namespace relu::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// For x >= 0, infinity included, and any y but 0 and NaN.
float PowerOfMagnitude(float x, float y) {
  if (x == 0.0F || x == kInfinity) {
    return (x == 0.0F) == (y < 0.0F) ? kInfinity : 0.0F;
  }
  if (std::isinf(y)) {
    if (x == 1.0F) {
      return 1.0F;
    }
    return (x < 1.0F) == (y < 0.0F) ? kInfinity : 0.0F;
  }
  const double exponent =
      static_cast<double>(y) * LogOfDouble(static_cast<double>(x));
  // Beyond, float32 has infinity or 0.
  return static_cast<float>(ExpOfDouble(std::clamp(exponent, -200.0, 200.0)));
}

}  // namespace

float Power(float x, float y) {
  if (y == 0.0F || x == 1.0F) {
    return 1.0F;
  }
  if (std::isnan(x) || std::isnan(y)) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  const bool is_whole = std::trunc(y) == y;
  if (x < 0.0F && x > -kInfinity && !is_whole) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  const float magnitude = PowerOfMagnitude(std::abs(x), y);
  const float half = y * 0.5F;  // Whole for every whole y from 2^24 on.
  const bool is_odd = is_whole && !std::isinf(y) && std::trunc(half) != half;
  return is_odd && std::signbit(x) ? -magnitude : magnitude;
}

}  // namespace relu::kernels
