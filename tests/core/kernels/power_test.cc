#include "core/kernels/power.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"

#include "tests/core/kernels/function_testing.h"
#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

TEST(PowerTest, SpecialCasesAreThoseOfIeee754) {
  std::vector<float> values = {
      0.0F,        1.0F, 2.0F,      3.0F,   0.5F,      2.5F, 1e30F,
      16777217.0F, 7.0F, kDenormal, 1e-30F, kInfinity, kNan, 4194303.0F};
  for (std::size_t i = values.size(); i-- > 0;) {
    values.push_back(-values[i]);
  }
  for (const float x : values) {
    for (const float y : values) {
      // glibc's powf() is within one unit, and exact in the special cases.
      const float wanted = std::pow(x, y);
      const float found = Power(x, y);
      if (std::isnan(wanted) || std::isinf(wanted) || wanted == 0.0F ||
          wanted == 1.0F || wanted == -1.0F) {
        EXPECT_TRUE(SameBits(found, wanted))
            << x << " ^ " << y << " is " << found << ", wanted " << wanted;
      } else {
        EXPECT_NEAR(found / wanted, 1.0F, 2e-7F) << x << " ^ " << y;
      }
    }
  }
}

TEST(PowerTest, IsAsExactAsDocumented) {
  double worst = 0.0;
  for (const float x : Sweep(/*step=*/1'000'003)) {
    for (float y = -9.0F; y <= 9.0F; y += 0.37F) {
      const double wanted =
          std::pow(static_cast<double>(x), static_cast<double>(y));
      const auto found = static_cast<double>(Power(x, y));
      if (x > 0.0F && std::abs(wanted) < 0x1.fffffep127) {
        worst = std::max(worst, std::abs(found - wanted) /
                                    std::max(std::abs(wanted), 0x1p-126));
      }
    }
  }
  EXPECT_LT(worst, 1e-7);
}

TEST(PowerTest, WholePowersOfWholeNumbersAreExact) {
  EXPECT_EQ(Power(3.0F, 2.0F), 9.0F);
  EXPECT_EQ(Power(-3.0F, 3.0F), -27.0F);
  EXPECT_EQ(Power(2.0F, 10.0F), 1024.0F);
  EXPECT_EQ(Power(9.0F, 0.5F), 3.0F);
  EXPECT_EQ(Power(10.0F, -1.0F), 0.1F);
}

TEST(PowerTest, BitsAreTheGoldenOnes) {
  std::vector<float> powers;
  for (const float x : Sweep(/*step=*/1'000'003)) {
    for (float y = -9.0F; y <= 9.0F; y += 0.37F) {
      powers.push_back(Power(x, y));
    }
  }
  ExpectGoldenBits("power", powers);
}

}  // namespace
}  // namespace relu::kernels
