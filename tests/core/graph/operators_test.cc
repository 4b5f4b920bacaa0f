#include "core/graph/operators.h"

#include <set>

#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(OperatorsTest, FindGivesDefinitionByName) {
  const OperatorDefinition* const gemm = FindOperator("Gemm");
  ASSERT_NE(gemm, nullptr);
  EXPECT_EQ(gemm->op, Operator::kGemm);
  EXPECT_EQ(gemm->min_inputs, 2U);
  EXPECT_EQ(gemm->max_inputs, 3U);
}

TEST(OperatorsTest, FindGivesNothingForOtherNames) {
  for (const char* name : {"", "gemm", "Conv", "Constant", "Identity"}) {
    EXPECT_EQ(FindOperator(name), nullptr) << name;
  }
}

TEST(OperatorsTest, EveryDefinitionIsCompleteAndTheOnlyOne) {
  std::set<Operator> operators;
  for (const OperatorDefinition& definition : SupportedOperators()) {
    EXPECT_EQ(OperatorName(definition.op), definition.name);
    EXPECT_GE(definition.max_inputs, definition.min_inputs) << definition.name;
    EXPECT_TRUE(operators.insert(definition.op).second) << definition.name;
  }
  EXPECT_EQ(operators.size(), static_cast<std::size_t>(Operator::kXor) + 1);
}

}  // namespace
}  // namespace relu
