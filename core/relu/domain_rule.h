// DomainRule: what some elements of an input may be, as people write it.

#ifndef CORE_RELU_DOMAIN_RULE_H_
#define CORE_RELU_DOMAIN_RULE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace relu {

struct DomainRule {
  enum class Kind : std::uint8_t {
    kInterval,  // From low to high, both included; a constant if they are one.
    kOneHot,    // One of the elements is 1, the others are 0.
  };
  static constexpr std::size_t kLast = std::numeric_limits<std::size_t>::max();

  // Elements of a row, row-major, first to last; kLast: to the end.
  std::size_t first = 0;
  std::size_t last = kLast;
  Kind kind = Kind::kInterval;
  // Infinite: none but the type's own.
  double low = 0.0;
  double high = 0.0;
};

// Reads rules, with ';' between them:
//
//   rules    = rule { ";" rule } [ ";" ]
//   rule     = [ elements ":" ] domain
//   elements = N | FIRST "-" LAST
//   domain   = "[" LOW "," HIGH "]" | VALUE | "one_hot"
//
// White space between words does not matter. Without elements a rule is for all
// of a row. A bound may be inf or -inf. INVALID_ARGUMENT, with the rule and
// what was wanted, if it is none; if an element has two; and for no rule.
absl::StatusOr<std::vector<DomainRule>> ParseDomainRules(std::string_view text);

// As in a rule: "[18, 100]", "2", "one_hot".
std::string DomainText(const DomainRule& rule);

// Rules as ParseDomainRules() reads them.
std::string DomainRulesText(const std::vector<DomainRule>& rules);

// The elements of an input as a figure of them is labelled: "x" for all,
// "x[3]", "x[3-6]".
std::string ElementsText(std::string_view input, const DomainRule& rule);

}  // namespace relu

#endif  // CORE_RELU_DOMAIN_RULE_H_
