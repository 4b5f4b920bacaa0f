#include "server/trace_context.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace relu {
namespace {

// version "-" trace-id "-" parent-id "-" trace-flags
constexpr std::size_t kTraceAt = 3;
constexpr std::size_t kParentAt = 36;
constexpr std::size_t kFlagsAt = 53;
constexpr std::size_t kBytes = 55;

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsZero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

// The lowest bit of a hexadecimal digit.
bool IsOdd(char digit) {
  return std::string_view("13579bdf").find(digit) != std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view header) {
  if (header.size() < kBytes) {
    return std::nullopt;
  }
  const std::string_view version = header.substr(0, 2);
  const std::string_view trace =
      header.substr(kTraceAt, kParentAt - kTraceAt - 1);
  const std::string_view parent =
      header.substr(kParentAt, kFlagsAt - kParentAt - 1);
  const std::string_view flags = header.substr(kFlagsAt, kBytes - kFlagsAt);
  const bool dashes = header[kTraceAt - 1] == '-' &&
                      header[kParentAt - 1] == '-' &&
                      header[kFlagsAt - 1] == '-';
  // Later versions may go on, after another dash.
  const bool ends =
      header.size() == kBytes || (version != "00" && header[kBytes] == '-');
  const bool valid = dashes && ends && IsHex(version) && version != "ff" &&
                     IsHex(trace) && !IsZero(trace) && IsHex(parent) &&
                     !IsZero(parent) && IsHex(flags);
  if (!valid) {
    return std::nullopt;
  }
  return TraceContext{
      .trace_id = trace, .parent_id = parent, .sampled = IsOdd(flags.back())};
}

}  // namespace relu
