#include "client/cli/metrics_text.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace relu {
namespace {

using MetricLabels = std::map<std::string, std::string, std::less<>>;

struct MetricSample {
  MetricLabels labels;
  double value = 0;
};

std::optional<double> MetricNumber(std::string_view text) {
  if (text == "+Inf") {
    return std::numeric_limits<double>::infinity();
  }
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) {
    return std::nullopt;
  }
  return value;
}

// Takes `"text"` with its escapes from the front of `rest`.
std::optional<std::string> TakeQuoted(std::string_view& rest) {
  if (!rest.starts_with('"')) {
    return std::nullopt;
  }
  std::string text;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return text;
    }
    if (rest[i] == '\\' && i + 1 < rest.size()) {
      ++i;
      text += rest[i] == 'n' ? '\n' : rest[i];
    } else {
      text += rest[i];
    }
  }
  return std::nullopt;
}

// Takes `{name="text",...}` from the front of `rest`.
std::optional<MetricLabels> TakeLabels(std::string_view& rest) {
  MetricLabels labels;
  rest.remove_prefix(1);
  while (!rest.starts_with('}')) {
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string name(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    auto text = TakeQuoted(rest);
    if (!text.has_value()) {
      return std::nullopt;
    }
    labels[name] = *std::move(text);
    if (rest.starts_with(',')) {
      rest.remove_prefix(1);
    }
  }
  rest.remove_prefix(1);
  return labels;
}

// The sample of `line`, if it is one of `name`.
std::optional<MetricSample> SampleOf(std::string_view line,
                                     std::string_view name) {
  if (!line.starts_with(name)) {
    return std::nullopt;
  }
  line.remove_prefix(name.size());
  MetricSample sample;
  if (line.starts_with('{')) {
    auto labels = TakeLabels(line);
    if (!labels.has_value()) {
      return std::nullopt;
    }
    sample.labels = *std::move(labels);
  }
  if (!line.starts_with(' ')) {
    return std::nullopt;  // Another name that begins with this one.
  }
  line.remove_prefix(1);
  const auto value = MetricNumber(line.substr(0, line.find(' ')));
  if (!value.has_value()) {
    return std::nullopt;
  }
  sample.value = *value;
  return sample;
}

template <typename OnSample>
void ForEachSample(std::string_view page, std::string_view name,
                   const OnSample& on_sample) {
  while (!page.empty()) {
    const std::size_t end = page.find('\n');
    const auto sample = SampleOf(page.substr(0, end), name);
    page.remove_prefix(end == std::string_view::npos ? page.size() : end + 1);
    if (sample.has_value()) {
      on_sample(*sample);
    }
  }
}

std::string LabelOf(const MetricSample& sample, std::string_view name) {
  const auto found = sample.labels.find(name);
  return found == sample.labels.end() ? "" : found->second;
}

ModelKey KeyOf(const MetricSample& sample) {
  return {LabelOf(sample, "model"), LabelOf(sample, "version")};
}

}  // namespace

std::map<ModelKey, CumulativeCounts> ReadHistograms(std::string_view page,
                                                    std::string_view name) {
  std::map<ModelKey, CumulativeCounts> histograms;
  ForEachSample(page, std::string(name) + "_bucket",
                [&histograms](const MetricSample& sample) {
                  const auto bound = MetricNumber(LabelOf(sample, "le"));
                  if (bound.has_value()) {
                    histograms[KeyOf(sample)][*bound] = sample.value;
                  }
                });
  return histograms;
}

std::map<ModelKey, double> ReadValues(std::string_view page,
                                      std::string_view name) {
  std::map<ModelKey, double> values;
  ForEachSample(page, name, [&values](const MetricSample& sample) {
    values[KeyOf(sample)] = sample.value;
  });
  return values;
}

std::optional<double> PercentileBetween(const CumulativeCounts& before,
                                        const CumulativeCounts& after,
                                        double percent) {
  const auto count_at = [&](double bound, double count) {
    const auto found = before.find(bound);
    return count - (found == before.end() ? 0 : found->second);
  };
  if (after.empty()) {
    return std::nullopt;
  }
  const double total = count_at(after.rbegin()->first, after.rbegin()->second);
  if (!(total > 0)) {
    return std::nullopt;
  }
  const double rank = percent / 100 * total;
  double low = 0;
  double below = 0;
  for (const auto& [bound, cumulative] : after) {
    const double count = count_at(bound, cumulative);
    if (count >= rank && count > below) {
      // Nothing is known of those beyond the last bound.
      return std::isinf(bound)
                 ? low
                 : low + (bound - low) * (rank - below) / (count - below);
    }
    low = bound;
    below = count;
  }
  return low;
}

}  // namespace relu
