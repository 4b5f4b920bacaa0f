#include "client/load/arrivals.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "fmt/format.h"

namespace relu::load {
namespace {

using std::chrono::nanoseconds;

constexpr double kNanosecondsPerSecond = 1e9;
// Sums of times must not overflow: about 31 years.
constexpr double kMaxSeconds = 1e9;

nanoseconds FromSeconds(double seconds) {
  return nanoseconds(
      static_cast<std::int64_t>(std::llround(seconds * kNanosecondsPerSecond)));
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<double> ParseSeconds(std::string_view text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc() || rest != end || !(std::abs(seconds) <= 1e12)) {
    return std::nullopt;
  }
  return seconds;
}

}  // namespace

Arrivals Arrivals::Constant(double per_second, Share share) {
  return {Kind::kConstant, per_second, share, /*seed=*/0};
}

Arrivals Arrivals::Poisson(double per_second, Share share, std::uint64_t seed) {
  // A Poisson process is the sum of independent ones of a part of its rate.
  return {Kind::kPoisson, per_second / share.count, share, seed};
}

Arrivals Arrivals::Replay(std::shared_ptr<const std::vector<nanoseconds>> times,
                          Share share) {
  Arrivals arrivals(Kind::kReplay, /*per_second=*/0, share, /*seed=*/0);
  arrivals.times_ = std::move(times);
  return arrivals;
}

std::optional<nanoseconds> Arrivals::Next() {
  const std::uint64_t turn = taken_ * static_cast<std::uint64_t>(share_.count) +
                             static_cast<std::uint64_t>(share_.index);
  ++taken_;
  switch (kind_) {
    case Kind::kConstant:
      // By multiplication: a sum of rounded gaps would drift.
      return FromSeconds(static_cast<double>(turn) / per_second_);
    case Kind::kPoisson: {
      std::exponential_distribution<double> gap(per_second_);
      poisson_seconds_ += gap(random_);
      return FromSeconds(poisson_seconds_);
    }
    case Kind::kReplay:
      break;
  }
  if (turn >= times_->size()) {
    return std::nullopt;
  }
  return (*times_)[turn];
}

absl::StatusOr<std::vector<nanoseconds>> ParseTimestamps(
    std::string_view text) {
  std::vector<nanoseconds> times;
  std::optional<double> first;
  for (int line_number = 1; !text.empty(); ++line_number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    const auto seconds = ParseSeconds(line);
    if (!seconds.has_value()) {
      return absl::InvalidArgumentError(
          fmt::format("line {}: \"{}\" is no time in seconds", line_number,
                      line.substr(0, 40)));
    }
    const double since_first = *seconds - first.value_or(*seconds);
    first = first.value_or(*seconds);
    if (!(since_first <= kMaxSeconds) ||
        FromSeconds(since_first) <
            (times.empty() ? nanoseconds(0) : times.back())) {
      return absl::InvalidArgumentError(fmt::format(
          "line {}: the time {} is before that of the line above, or more than "
          "{} seconds after the first",
          line_number, *seconds, kMaxSeconds));
    }
    times.push_back(FromSeconds(since_first));
  }
  if (times.empty()) {
    return absl::InvalidArgumentError("there is no time in it");
  }
  return times;
}

}  // namespace relu::load
