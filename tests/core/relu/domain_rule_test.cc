#include "core/relu/domain_rule.h"

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

std::vector<DomainRule> ParsedRules(std::string_view text) {
  const absl::StatusOr<std::vector<DomainRule>> rules = ParseDomainRules(text);
  EXPECT_TRUE(rules.ok()) << rules.status();
  return rules.ok() ? *rules : std::vector<DomainRule>();
}

std::string ParseErrorOf(std::string_view text) {
  const absl::Status status = ParseDomainRules(text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

TEST(DomainRuleTest, OneDomainIsForTheWholeRow) {
  const std::vector<DomainRule> rules = ParsedRules("[0, 1]");
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(rules[0].first, 0U);
  EXPECT_EQ(rules[0].last, DomainRule::kLast);
  EXPECT_EQ(rules[0].kind, DomainRule::Kind::kInterval);
  EXPECT_EQ(rules[0].low, 0.0);
  EXPECT_EQ(rules[0].high, 1.0);
}

TEST(DomainRuleTest, EveryKindIsReadWithItsElements) {
  const std::vector<DomainRule> rules = ParsedRules(
      " 0 :[ -1.5e2 , 100 ] ;\n 7: 2.5; 1 - 3: one_hot; 9:[0,inf];");
  ASSERT_EQ(rules.size(), 4U);
  EXPECT_EQ(rules[0].first, 0U);
  EXPECT_EQ(rules[0].last, 0U);
  EXPECT_EQ(rules[0].low, -150.0);
  EXPECT_EQ(rules[0].high, 100.0);
  EXPECT_EQ(rules[1].first, 7U);
  EXPECT_EQ(rules[1].low, 2.5);
  EXPECT_EQ(rules[1].high, 2.5);
  EXPECT_EQ(rules[2].first, 1U);
  EXPECT_EQ(rules[2].last, 3U);
  EXPECT_EQ(rules[2].kind, DomainRule::Kind::kOneHot);
  EXPECT_EQ(rules[3].high, std::numeric_limits<double>::infinity());
}

TEST(DomainRuleTest, TextSaysWhatWasRead) {
  const std::vector<DomainRule> rules =
      ParsedRules("0: [18, 100]; 1: -2.5; 2-4: one_hot; 5: [-inf, 0]");
  EXPECT_EQ(DomainText(rules[0]), "[18, 100]");
  EXPECT_EQ(DomainText(rules[1]), "-2.5");
  EXPECT_EQ(DomainText(rules[2]), "one_hot");
  EXPECT_EQ(DomainText(rules[3]), "[-inf, 0]");
  EXPECT_EQ(ElementsText("x", rules[0]), "x[0]");
  EXPECT_EQ(ElementsText("x", rules[2]), "x[2-4]");
  EXPECT_EQ(ElementsText("x", ParsedRules("1")[0]), "x");
}

TEST(DomainRuleTest, WhatIsNoDomainReturnsInvalidArgument) {
  for (const std::string_view text :
       {"0: ", "0: [1]", "0: [1, 2", "0: [1, 2, 3]", "0: 1, 2", "0: onehot",
        "0: [nan, 1]", "0: nan", "0: inf", "0: [a, b]", "0: 1x", "[,]", "[]"}) {
    EXPECT_THAT(ParseErrorOf(text),
                HasSubstr("wanted are [LOW, HIGH], a number, or one_hot"))
        << text;
  }
}

TEST(DomainRuleTest, RulesAreWrittenAsTheyAreRead) {
  for (const std::string_view text :
       {"[0, 1]", "one_hot",
        "0: [0.1, 100]; 1: -2.5; 2-4: one_hot; 5: [-inf, 0]"}) {
    EXPECT_EQ(DomainRulesText(ParsedRules(text)), text);
  }
}

TEST(DomainRuleTest, WhatIsNoElementReturnsInvalidArgument) {
  for (const std::string_view text :
       {"x: 1", ": 1", "-1: 1", "3-1: 1", "1-: 1", "1.5: 1", "1-2-3: 1",
        "99999999999999999999: 1", "0-18446744073709551615: 1"}) {
    EXPECT_THAT(ParseErrorOf(text), HasSubstr("wanted are N or FIRST-LAST"))
        << text;
  }
}

TEST(DomainRuleTest, ErrorShowsTheRuleAndOfALongOneItsBeginning) {
  EXPECT_THAT(ParseErrorOf("0: 1; 1: [5, 2]"),
              HasSubstr("rule \"1: [5, 2]\": 5 is above 2"));
  EXPECT_LT(ParseErrorOf("0: " + std::string(10'000, 'x')).size(), 300U);
}

TEST(DomainRuleTest, ElementWithTwoRulesReturnsInvalidArgument) {
  EXPECT_THAT(ParseErrorOf("4: 1; 0-4: 2"),
              HasSubstr("element 4 has two rules"));
  EXPECT_THAT(ParseErrorOf("[0, 1]; 3: 2"),
              HasSubstr("element 3 has two rules"));
}

TEST(DomainRuleTest, NoRuleReturnsInvalidArgument) {
  EXPECT_THAT(ParseErrorOf(""), HasSubstr("no rule"));
  EXPECT_THAT(ParseErrorOf(" ; "), HasSubstr("no rule"));
  EXPECT_THAT(ParseErrorOf("0: 1;; 1: 1"), HasSubstr("rule \"\""));
}

}  // namespace
}  // namespace relu
