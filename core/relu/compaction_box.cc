#include "core/relu/compaction_box.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_prefix.h"
#include "core/graph/elements.h"
#include "core/relu/domain_rule.h"
#include "core/relu/input_domain.h"
#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_network.h"

namespace relu {
namespace {

constexpr double kNoBound = std::numeric_limits<double>::infinity();

// The interval of one element; infinite where the type ends.
DomainRule IntervalRule(const NetworkInput& input, const InputBox& box,
                        std::size_t i) {
  const double low = box.low[input.first_element + i];
  const double high = box.high[input.first_element + i];
  return {.first = i,
          .last = i,
          .low = low <= SmallestOf(input.type) ? -kNoBound : low,
          .high = high >= LargestOf(input.type) ? kNoBound : high};
}

// Neighbours of the same interval have one rule.
void AddInterval(const DomainRule& rule, std::vector<DomainRule>& rules) {
  DomainRule* const last = rules.empty() ? nullptr : &rules.back();
  if (last != nullptr && last->kind == rule.kind && last->low == rule.low &&
      last->high == rule.high && last->last + 1 == rule.first) {
    last->last = rule.last;
  } else {
    rules.push_back(rule);
  }
}

std::vector<DomainRule> RulesOf(const NetworkInput& input,
                                const InputBox& box) {
  std::vector<DomainRule> rules;
  for (std::size_t i = 0; i < input.elements; ++i) {
    const auto group = std::ranges::find(box.one_hot, input.first_element + i,
                                         &OneHotGroup::first);
    if (group != box.one_hot.end()) {
      rules.push_back({.first = i,
                       .last = i + group->size - 1,
                       .kind = DomainRule::Kind::kOneHot,
                       .low = 0.0,
                       .high = 1.0});
      i = rules.back().last;
      continue;
    }
    const DomainRule rule = IntervalRule(input, box, i);
    // Of an integer any is in its type; a float may also be NaN or infinite.
    if (IsFloatingPoint(input.type) || rule.low != -kNoBound ||
        rule.high != kNoBound) {
      AddInterval(rule, rules);
    }
  }
  return rules;
}

}  // namespace

OnnxMetadata MetadataOfBox(const PiecewiseNetwork& network,
                           const InputBox& box) {
  OnnxMetadata metadata;
  for (const NetworkInput& input : network.inputs) {
    const std::vector<DomainRule> rules = RulesOf(input, box);
    if (!rules.empty()) {
      metadata.emplace(fmt::format("{}.{}", kCompactionBoxKey, input.name),
                       DomainRulesText(rules));
    }
  }
  return metadata;
}

absl::StatusOr<std::vector<InputRules>> BoxOfMetadata(
    const OnnxMetadata& metadata) {
  std::vector<InputRules> box;
  for (auto entry = metadata.lower_bound(kCompactionBoxKey);
       entry != metadata.end() && entry->first.starts_with(kCompactionBoxKey);
       ++entry) {
    const auto& [key, value] = *entry;
    if (key.size() <= kCompactionBoxKey.size() + 1) {
      return absl::InvalidArgumentError(
          fmt::format("metadata \"{}\" names no input; make the model smaller "
                      "again from the original (reluctl inspect --compact)",
                      key));
    }
    absl::StatusOr<std::vector<DomainRule>> rules = ParseDomainRules(value);
    if (!rules.ok()) {
      return WithPrefix(fmt::format("metadata \"{}\": ", key), rules.status());
    }
    box.push_back({.input = key.substr(kCompactionBoxKey.size() + 1),
                   .rules = *std::move(rules)});
  }
  return box;
}

}  // namespace relu
