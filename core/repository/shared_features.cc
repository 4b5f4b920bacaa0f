#include "core/repository/shared_features.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/utf8.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Of a value, or of a name, in a message.
constexpr std::size_t kMaxTextBytes = 100;
constexpr std::int64_t kMaxFeature = std::int64_t{1} << 40;

// The number at the front of `text`, which it is taken from.
std::optional<std::int64_t> TakeNumber(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number > kMaxFeature) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// "64-79" or "40".
std::optional<FeatureRange> ParseRange(std::string_view text) {
  const std::optional<std::int64_t> first = TakeNumber(text);
  std::optional<std::int64_t> last = first;
  if (first.has_value() && text.starts_with('-')) {
    text.remove_prefix(1);
    last = TakeNumber(text);
  }
  if (!last.has_value() || *last < *first || !text.empty()) {
    return std::nullopt;
  }
  return FeatureRange{.begin = *first, .end = *last + 1};
}

std::optional<std::vector<FeatureRange>> ParseRanges(std::string_view text) {
  std::vector<FeatureRange> ranges;
  while (true) {
    const std::size_t size = std::min(text.find(','), text.size());
    const std::optional<FeatureRange> range = ParseRange(text.substr(0, size));
    if (!range.has_value() ||
        (!ranges.empty() && range->begin < ranges.back().end)) {
      return std::nullopt;
    }
    ranges.push_back(*range);
    if (size == text.size()) {
      return ranges;
    }
    text.remove_prefix(size + 1);
  }
}

}  // namespace

absl::Status ReadSharedFeatures(std::string_view key, std::string_view value,
                                SharedFeatures& features) {
  std::optional<std::vector<FeatureRange>> ranges = ParseRanges(value);
  if (!ranges.has_value()) {
    return absl::InvalidArgumentError(fmt::format(
        "parameters \"{}\" is \"{}\", wanted ascending elements of a row, such "
        "as \"0-15,40,64-79\"",
        ClipUtf8(key, kMaxTextBytes), ClipUtf8(value, kMaxTextBytes)));
  }
  features[std::string(key.substr(kSharedFeaturesPrefix.size()))] =
      *std::move(ranges);
  return absl::OkStatus();
}

absl::Status CheckSharedFeatures(const SharedFeatures& features,
                                 const CompiledModel& model) {
  for (const auto& [name, ranges] : features) {
    const auto input =
        std::ranges::find(model.inputs(), name, &TensorSignature::name);
    if (input == model.inputs().end()) {
      return absl::InvalidArgumentError(
          fmt::format("config.pbtxt: parameters \"{}{}\": the model has no "
                      "such input",
                      kSharedFeaturesPrefix, ClipUtf8(name, kMaxTextBytes)));
    }
    if (model.couples_rows() || input->row_shape.size() != 1 ||
        ranges.back().end > input->row_shape[0]) {
      return absl::InvalidArgumentError(fmt::format(
          "config.pbtxt: parameters \"{}{}\" names element {} of a row, the "
          "input has shape {}",
          kSharedFeaturesPrefix, name, ranges.back().end - 1,
          ShapeText(input->shape)));
    }
  }
  return absl::OkStatus();
}

}  // namespace relu
