#include "core/relu/input_domain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/kernels/value_range.h"
#include "core/tensor/element.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

// The elements of a row as numbers.
void ReadNumbers(DataType type, const std::byte* row,
                 std::vector<double>& numbers) {
  VisitType(type, [&](auto element) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      std::memcpy(&element, row + i * sizeof(element), sizeof(element));
      numbers[i] = ElementAs<double>(element);
    }
  });
}

// A tensor of one element.
Tensor ElementOf(DataType type, double value) {
  return FromDoubles(type, {1}, std::array<double, 1>{value});
}

std::array<std::byte, 8> BytesOf(DataType type, double value) {
  std::array<std::byte, 8> bytes{};
  const Tensor element = ElementOf(type, value);
  std::ranges::copy(element.bytes(), bytes.begin());
  return bytes;
}

// The bound as a number of the type. INVALID_ARGUMENT, without a name, if the
// type has none like it.
absl::StatusOr<double> RoundBound(double bound, DataType type) {
  if (std::isinf(bound)) {
    return bound > 0.0 ? LargestOf(type) : SmallestOf(type);
  }
  const double rounded = ToDoubles(ElementOf(type, bound))[0];
  // Integers beyond it are rounded when they are compared.
  constexpr double kMostExact = 0x1p53;
  const bool good = IsFloatingPoint(type)
                        ? std::isfinite(rounded)
                        : rounded == bound && std::abs(bound) < kMostExact;
  if (!good) {
    return absl::InvalidArgumentError(
        fmt::format("{} is no number of type {}", bound, DataTypeName(type)));
  }
  return rounded;
}

// Of a row of floats that are from 0 to 1.
bool IsOneHot(const DomainRule& group, const std::byte* row) {
  std::size_t ones = 0;
  std::size_t zeros = 0;
  for (std::size_t i = group.first; i <= group.last; ++i) {
    float element = 0.0F;
    std::memcpy(&element, row + i * sizeof(float), sizeof(float));
    ones += element == 1.0F ? 1U : 0U;
    zeros += element == 0.0F ? 1U : 0U;
  }
  return ones == 1 && zeros == group.last - group.first;
}

// Which element makes the group no one-hot; nullopt if none does.
std::optional<std::size_t> WrongInGroup(const DomainRule& group,
                                        const std::vector<double>& row) {
  std::size_t ones = 0;
  for (std::size_t i = group.first; i <= group.last; ++i) {
    ones += row[i] == 1.0 ? 1U : 0U;
    if ((row[i] != 0.0 && row[i] != 1.0) || ones > 1) {
      return i;
    }
  }
  return ones == 1 ? std::nullopt : std::optional(group.first);
}

// The network computes in float32, to which FP64 is rounded: what is in order
// stays so.
double AsComputed(DataType type, double bound) {
  return type == DataType::kFp64 ? double{static_cast<float>(bound)} : bound;
}

absl::Status BadInput(std::string_view input, std::string_view why) {
  return absl::InvalidArgumentError(
      fmt::format("the domain of input \"{}\": {}", input, why));
}

}  // namespace

absl::StatusOr<InputDomain::TensorDomain> InputDomain::ForTensor(
    const InputRules& rules, std::span<const TensorSignature> inputs) {
  const auto found =
      std::ranges::find(inputs, rules.input, &TensorSignature::name);
  if (found == inputs.end()) {
    std::string names;
    for (const TensorSignature& input : inputs) {
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", input.name);
    }
    return BadInput(rules.input, fmt::format("the model has {}", names));
  }
  if (found->row_axis.has_value() && *found->row_axis != 0) {
    return absl::UnimplementedError(fmt::format(
        "the domain of input \"{}\": its rows are in dimension {}, wanted are "
        "rows one after the other",
        rules.input, *found->row_axis));
  }
  TensorDomain domain;
  domain.input = static_cast<std::size_t>(found - inputs.begin());
  domain.name = found->name;
  domain.type = found->type;
  domain.elements = found->row_bytes / DataTypeSize(found->type);
  domain.low.resize(domain.elements, -kUnbounded);
  domain.high.resize(domain.elements, kUnbounded);
  for (DomainRule rule : rules.rules) {
    if (rule.first >= domain.elements ||
        (rule.last >= domain.elements && rule.last != DomainRule::kLast)) {
      return BadInput(
          rules.input,
          fmt::format("there is no {}, a row has {} elements",
                      ElementsText(found->name, rule), domain.elements));
    }
    rule.last = std::min(rule.last, domain.elements - 1);
    const absl::StatusOr<double> low = RoundBound(rule.low, found->type);
    const absl::StatusOr<double> high = RoundBound(rule.high, found->type);
    for (const absl::Status& status : {low.status(), high.status()}) {
      if (!status.ok()) {
        return BadInput(rules.input, std::string(status.message()));
      }
    }
    rule.low = *low;
    rule.high = *high;
    for (std::size_t i = rule.first; i <= rule.last; ++i) {
      domain.low[i] = rule.low;
      domain.high[i] = rule.high;
    }
    domain.rules.push_back(rule);
    domain.ends.push_back({.low = BytesOf(found->type, rule.low),
                           .high = BytesOf(found->type, rule.high)});
  }
  if (domain.type == DataType::kFp32) {
    domain.float_low.assign(domain.low.begin(), domain.low.end());
    domain.float_high.assign(domain.high.begin(), domain.high.end());
  }
  return domain;
}

absl::StatusOr<InputDomain> InputDomain::Create(
    std::span<const InputRules> rules,
    std::span<const TensorSignature> inputs) {
  InputDomain domain;
  for (const InputRules& of_input : rules) {
    ASSIGN_OR_RETURN(TensorDomain tensor, ForTensor(of_input, inputs));
    if (domain.Of(tensor.input) != nullptr) {
      return BadInput(of_input.input, "it is there twice");
    }
    tensor.first_label = domain.labels_.size();
    for (const DomainRule& rule : of_input.rules) {
      domain.labels_.push_back(ElementsText(tensor.name, rule));
    }
    domain.tensors_.push_back(std::move(tensor));
  }
  return domain;
}

const InputDomain::TensorDomain* InputDomain::Of(std::size_t input) const {
  const auto found = std::ranges::find(tensors_, input, &TensorDomain::input);
  return found == tensors_.end() ? nullptr : &*found;
}

bool InputDomain::FloatsAreInside(const TensorDomain& domain,
                                  const std::byte* row) {
  return kernels::AllWithin(domain.elements, row, domain.float_low.data(),
                            domain.float_high.data()) &&
         std::ranges::all_of(domain.rules, [&](const DomainRule& rule) {
           return rule.kind != DomainRule::Kind::kOneHot || IsOneHot(rule, row);
         });
}

void InputDomain::VisitRow(const TensorDomain& domain, std::int64_t row_index,
                           const std::vector<double>& numbers,
                           absl::FunctionRef<void(const OutsideValue&)> visit) {
  OutsideValue outside{.input = domain.input, .row = row_index};
  const auto tell = [&](std::size_t element) {
    outside.element = element;
    outside.value = numbers[element];
    visit(outside);
  };
  for (std::size_t r = 0; r < domain.rules.size(); ++r) {
    const DomainRule& rule = domain.rules[r];
    outside.rule = domain.first_label + r;
    if (rule.kind == DomainRule::Kind::kOneHot) {
      const std::optional<std::size_t> wrong = WrongInGroup(rule, numbers);
      if (wrong.has_value()) {
        tell(*wrong);
      }
      continue;
    }
    for (std::size_t i = rule.first; i <= rule.last; ++i) {
      if (!(numbers[i] >= rule.low && numbers[i] <= rule.high)) {
        tell(i);
      }
    }
  }
}

void InputDomain::VisitOutside(
    std::size_t input, std::int64_t rows, const std::byte* values,
    absl::FunctionRef<void(const OutsideValue&)> visit) const {
  const TensorDomain* const domain = Of(input);
  if (domain == nullptr) {
    return;
  }
  const std::size_t row_bytes = domain->elements * DataTypeSize(domain->type);
  std::vector<double> numbers;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::byte* const at =
        values + static_cast<std::size_t>(row) * row_bytes;
    if (domain->type != DataType::kFp32 || !FloatsAreInside(*domain, at)) {
      numbers.resize(domain->elements);
      ReadNumbers(domain->type, at, numbers);
      VisitRow(*domain, row, numbers, visit);
    }
  }
}

bool InputDomain::Clamp(const OutsideValue& outside, std::byte* values) const {
  const TensorDomain& domain = *Of(outside.input);
  const DomainRule& rule = domain.rules[outside.rule - domain.first_label];
  if (rule.kind == DomainRule::Kind::kOneHot || std::isnan(outside.value)) {
    return false;
  }
  const Ends& ends = domain.ends[outside.rule - domain.first_label];
  const std::size_t at =
      static_cast<std::size_t>(outside.row) * domain.elements + outside.element;
  const std::size_t bytes = DataTypeSize(domain.type);
  std::memcpy(values + at * bytes,
              (outside.value < rule.low ? ends.low : ends.high).data(), bytes);
  return true;
}

std::string InputDomain::Text(const OutsideValue& outside) const {
  const TensorDomain& domain = *Of(outside.input);
  const DomainRule& rule = domain.rules[outside.rule - domain.first_label];
  std::string_view also = "";
  if (rule.kind == DomainRule::Kind::kOneHot) {
    also = outside.value == 1.0   ? " as another is"
           : outside.value == 0.0 ? " as all others are"
                                  : "";
  }
  return fmt::format(
      "input \"{}\": row {}, element {} is {}{}, the domain of "
      "{} is {}",
      domain.name, outside.row, outside.element, outside.value, also,
      labels_[outside.rule], DomainText(rule));
}

bool InputDomain::IsWithin(const DomainRule& outer,
                           const TensorDomain& domain) {
  if (outer.kind == DomainRule::Kind::kOneHot) {
    return std::ranges::any_of(domain.rules, [&](const DomainRule& rule) {
      return rule.kind == outer.kind && rule.first == outer.first &&
             rule.last == outer.last;
    });
  }
  for (std::size_t i = outer.first; i <= outer.last; ++i) {
    if (AsComputed(domain.type, domain.low[i]) <
            AsComputed(domain.type, outer.low) ||
        AsComputed(domain.type, domain.high[i]) >
            AsComputed(domain.type, outer.high)) {
      return false;
    }
  }
  return true;
}

absl::Status InputDomain::CheckWithin(const InputDomain& outer) const {
  for (const TensorDomain& tensor : outer.tensors_) {
    const TensorDomain* const domain = Of(tensor.input);
    for (const DomainRule& rule : tensor.rules) {
      if (domain == nullptr || !IsWithin(rule, *domain)) {
        return BadInput(
            tensor.name,
            fmt::format("{} may be more than {}",
                        ElementsText(tensor.name, rule), DomainText(rule)));
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<InputBox> InputDomain::BoxOf(
    const PiecewiseNetwork& network) const {
  InputBox box;
  for (const NetworkInput& input : network.inputs) {
    const auto domain =
        std::ranges::find(tensors_, input.name, &TensorDomain::name);
    for (std::size_t i = 0; i < input.elements; ++i) {
      double low = domain == tensors_.end() ? -kUnbounded : domain->low[i];
      double high = domain == tensors_.end() ? kUnbounded : domain->high[i];
      if (std::isinf(low)) {
        if (IsFloatingPoint(input.type)) {
          return absl::FailedPreconditionError(fmt::format(
              "element {} of input \"{}\" has no domain", i, input.name));
        }
        low = SmallestOf(input.type);
        high = LargestOf(input.type);
      }
      box.low.push_back(AsComputed(input.type, low));
      box.high.push_back(AsComputed(input.type, high));
    }
    for (std::size_t r = 0;
         domain != tensors_.end() && r < domain->rules.size(); ++r) {
      const DomainRule& rule = domain->rules[r];
      if (rule.kind == DomainRule::Kind::kOneHot) {
        box.one_hot.push_back({.first = input.first_element + rule.first,
                               .size = rule.last - rule.first + 1});
      }
    }
    std::ranges::sort(box.one_hot, {}, &OneHotGroup::first);
  }
  return box;
}

}  // namespace relu
