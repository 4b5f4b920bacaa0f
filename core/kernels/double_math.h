// Exp and log in double precision, in scalar code: for what float32 is too
// coarse. Plain IEEE operations without a fused one, so the same bits wherever
// they are compiled. Errors are below 2^-50.

#ifndef CORE_KERNELS_DOUBLE_MATH_H_
#define CORE_KERNELS_DOUBLE_MATH_H_

#include <bit>
#include <cstdint>

namespace relu::kernels {

// ln 2 in two parts: the first has room for a factor of 11 bits.
inline constexpr double kLn2High = 0x1.62e42fefap-1;
inline constexpr double kLn2Low = 0x1.cf79abc9e3b39p-40;

// log(x) for a normal x > 0.
inline double LogOfDouble(double x) {
  constexpr std::uint64_t kRootHalfBits = 0x3fe6a09e667f3bcdU;
  // x = 2^n * m with m from sqrt(1/2) to sqrt(2).
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto n = static_cast<std::int64_t>(bits - kRootHalfBits) >> 52;
  const auto m =
      std::bit_cast<double>(bits - (static_cast<std::uint64_t>(n) << 52U));
  // log(m) = 2 * artanh(s), the series up to s^21.
  const double s = (m - 1.0) / (m + 1.0);
  const double square = s * s;
  double sum = 1.0 / 21.0;
  for (int k = 19; k >= 3; k -= 2) {
    sum = sum * square + 1.0 / static_cast<double>(k);
  }
  const auto factor = static_cast<double>(n);
  return factor * kLn2High +
         (2.0 * s + (2.0 * s * square * sum + factor * kLn2Low));
}

// exp(x) for -700 <= x <= 700.
inline double ExpOfDouble(double x) {
  // Adding 1.5 * 2^52 rounds to an integer.
  constexpr double kMagic = 0x1.8p52;
  const double n = (x * 0x1.71547652b82fep0 + kMagic) - kMagic;
  const double r = (x - n * kLn2High) - n * kLn2Low;
  // The series up to r^13, |r| <= ln(2) / 2.
  double sum = 1.0;
  for (int k = 13; k >= 1; --k) {
    sum = 1.0 + sum * r / static_cast<double>(k);
  }
  const auto exponent =
      static_cast<std::uint64_t>(static_cast<std::int64_t>(n) + 1023);
  return sum * std::bit_cast<double>(exponent << 52U);
}

}  // namespace relu::kernels

#endif  // CORE_KERNELS_DOUBLE_MATH_H_
