#include "client/retry_budget.h"

#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(RetryBudgetTest, AllowsUntilHalfOfTheTokensAreGone) {
  RetryBudget budget(/*max_tokens=*/4, /*ratio=*/0.5);
  EXPECT_TRUE(budget.Allows());
  budget.OnFailure();
  EXPECT_TRUE(budget.Allows());
  budget.OnFailure();
  EXPECT_FALSE(budget.Allows());
}

TEST(RetryBudgetTest, GoodCallsGiveTokensBackUpToTheMost) {
  RetryBudget budget(/*max_tokens=*/4, /*ratio=*/0.5);
  for (int i = 0; i < 10; ++i) {
    budget.OnFailure();  // No debts.
  }
  for (int i = 0; i < 4; ++i) {
    budget.OnSuccess();
  }
  EXPECT_FALSE(budget.Allows());
  budget.OnSuccess();
  EXPECT_TRUE(budget.Allows());
  for (int i = 0; i < 100; ++i) {
    budget.OnSuccess();
  }
  budget.OnFailure();
  budget.OnFailure();
  EXPECT_FALSE(budget.Allows());
}

}  // namespace
}  // namespace relu
