#include "core/relu/domain_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"

namespace relu {
namespace {

constexpr std::string_view kOneHotWord = "one_hot";
// More than a rule has that makes sense: so much of it is shown.
constexpr std::size_t kMostShown = 80;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// All of `text` as a number.
template <typename Number>
std::optional<Number> ToNumber(std::string_view text) {
  text = Trimmed(text);
  Number number{};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

absl::Status BadRule(std::string_view rule, std::string_view why) {
  return absl::InvalidArgumentError(
      fmt::format("rule \"{}\": {}", rule.substr(0, kMostShown), why));
}

absl::Status ReadElements(std::string_view rule, std::string_view text,
                          DomainRule& read) {
  const std::size_t dash = text.find('-');
  const auto first = ToNumber<std::size_t>(text.substr(0, dash));
  const auto last = dash == std::string_view::npos
                        ? first
                        : ToNumber<std::size_t>(text.substr(dash + 1));
  if (!first.has_value() || !last.has_value() || *last < *first ||
      *last == DomainRule::kLast) {
    return BadRule(rule,
                   fmt::format("\"{}\" before the colon is no element; wanted "
                               "are N or FIRST-LAST, counted from 0",
                               Trimmed(text).substr(0, kMostShown)));
  }
  read.first = *first;
  read.last = *last;
  return absl::OkStatus();
}

absl::Status ReadDomain(std::string_view rule, std::string_view text,
                        DomainRule& read) {
  if (text == kOneHotWord) {
    read.kind = DomainRule::Kind::kOneHot;
    read.high = 1.0;
    return absl::OkStatus();
  }
  std::optional<double> low = ToNumber<double>(text);
  std::optional<double> high = low;
  const bool interval =
      text.size() >= 2 && text.front() == '[' && text.back() == ']';
  if (interval) {
    text = text.substr(1, text.size() - 2);
    const std::size_t comma = std::min(text.find(','), text.size());
    low = ToNumber<double>(text.substr(0, comma));
    high = ToNumber<double>(text.substr(std::min(comma + 1, text.size())));
  }
  if (!low.has_value() || !high.has_value() || std::isnan(*low) ||
      std::isnan(*high) || (!interval && std::isinf(*low))) {
    return BadRule(rule,
                   "no domain; wanted are [LOW, HIGH], a number, or one_hot");
  }
  if (*low > *high) {
    return BadRule(rule, fmt::format("{} is above {}; wanted is [LOW, HIGH]",
                                     *low, *high));
  }
  read.low = *low;
  read.high = *high;
  return absl::OkStatus();
}

absl::StatusOr<DomainRule> ReadRule(std::string_view rule) {
  DomainRule read;
  const std::size_t colon = rule.find(':');
  if (colon != std::string_view::npos) {
    RETURN_IF_ERROR(ReadElements(rule, rule.substr(0, colon), read));
  }
  const std::string_view domain =
      colon == std::string_view::npos ? rule : rule.substr(colon + 1);
  RETURN_IF_ERROR(ReadDomain(rule, Trimmed(domain), read));
  return read;
}

absl::Status CheckOverlaps(std::vector<DomainRule> rules) {
  std::ranges::sort(rules, {}, &DomainRule::first);
  for (std::size_t i = 1; i < rules.size(); ++i) {
    if (rules[i].first <= rules[i - 1].last) {
      return absl::InvalidArgumentError(fmt::format(
          "element {} has two rules; wanted is one", rules[i].first));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<DomainRule>> ParseDomainRules(
    std::string_view text) {
  std::vector<DomainRule> rules;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view rule = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    // The last may be followed by nothing.
    if (!rule.empty() || !Trimmed(text).empty()) {
      ASSIGN_OR_RETURN(const DomainRule read, ReadRule(rule));
      rules.push_back(read);
    }
  }
  if (rules.empty()) {
    return absl::InvalidArgumentError(
        "no rule; wanted are rules such as \"[0, 1]\" or \"0: [18, 100]; 1-3: "
        "one_hot\"");
  }
  RETURN_IF_ERROR(CheckOverlaps(rules));
  return rules;
}

std::string DomainText(const DomainRule& rule) {
  if (rule.kind == DomainRule::Kind::kOneHot) {
    return std::string(kOneHotWord);
  }
  return rule.low == rule.high ? fmt::format("{}", rule.low)
                               : fmt::format("[{}, {}]", rule.low, rule.high);
}

std::string DomainRulesText(const std::vector<DomainRule>& rules) {
  std::string text;
  for (const DomainRule& rule : rules) {
    text += text.empty() ? "" : "; ";
    if (rule.first == rule.last) {
      text += fmt::format("{}: ", rule.first);
    } else if (rule.last != DomainRule::kLast) {
      text += fmt::format("{}-{}: ", rule.first, rule.last);
    }
    text += DomainText(rule);
  }
  return text;
}

std::string ElementsText(std::string_view input, const DomainRule& rule) {
  if (rule.last == DomainRule::kLast) {
    return std::string(input);
  }
  return rule.first == rule.last
             ? fmt::format("{}[{}]", input, rule.first)
             : fmt::format("{}[{}-{}]", input, rule.first, rule.last);
}

}  // namespace relu
