#include "core/base/check.h"

#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(CheckTest, TrueConditionGoesOnAndIsEvaluatedOnce) {
  int evaluations = 0;

  CHECK(++evaluations == 1);

  EXPECT_EQ(evaluations, 1);
}

TEST(CheckTest, FalseConditionStopsTheProcessWithItsText) {
  const int rows = 0;

  EXPECT_DEATH(CHECK(rows > 0), "check_test.cc:.*CHECK failed: rows > 0");
}

}  // namespace
}  // namespace relu
