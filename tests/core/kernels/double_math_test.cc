#include "core/kernels/double_math.h"

#include <cmath>

#include "gtest/gtest.h"

namespace relu::kernels {
namespace {

TEST(DoubleMathTest, LogIsAsExactAsDocumented) {
  for (double x = 1e-45; x < 1e300; x *= 1.0173) {
    EXPECT_NEAR(LogOfDouble(x), std::log(x), 0x1p-50 * std::abs(std::log(x)));
  }
  for (double x = 0.5; x < 2.0; x += 0.00037) {
    EXPECT_NEAR(LogOfDouble(x), std::log(x), 0x1p-50 * std::abs(std::log(x)));
  }
  EXPECT_EQ(LogOfDouble(1.0), 0.0);
}

TEST(DoubleMathTest, ExpIsAsExactAsDocumented) {
  for (double x = -200.0; x <= 200.0; x += 0.0173) {
    EXPECT_NEAR(ExpOfDouble(x) / std::exp(x), 1.0, 0x1p-50);
  }
  EXPECT_EQ(ExpOfDouble(0.0), 1.0);
}

}  // namespace
}  // namespace relu::kernels
