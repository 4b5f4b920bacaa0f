#include "server/log_line.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "fmt/format.h"
#include "server/text.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

// Longer messages are cut: a line is for people and for log collectors, many of
// which split at 16 KiB.
constexpr std::size_t kMaxMessageBytes = 8000;

std::string_view LevelName(LogLevel level) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "trace", "debug", "info", "warning", "error", "off"};
  return kNames[static_cast<std::size_t>(level)];
}

// Triton's; it has no letter for what is less than info.
char LevelLetter(LogLevel level) {
  switch (level) {
    case LogLevel::kWarning:
      return 'W';
    case LogLevel::kError:
      return 'E';
    default:
      return 'I';
  }
}

struct CalendarTime {
  std::tm tm{};
  int microseconds = 0;
};

CalendarTime ToUtc(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t count = std::chrono::system_clock::to_time_t(seconds);
  CalendarTime utc;
  gmtime_r(&count, &utc.tm);
  utc.microseconds = static_cast<int>(
      std::chrono::duration_cast<std::chrono::microseconds>(time - seconds)
          .count());
  return utc;
}

std::string Timestamp(const CalendarTime& utc) {
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                     utc.tm.tm_year + 1900, utc.tm.tm_mon + 1, utc.tm.tm_mday,
                     utc.tm.tm_hour, utc.tm.tm_min, utc.tm.tm_sec,
                     utc.microseconds);
}

std::string TritonPrefix(LogLevel level, const CalendarTime& utc) {
  return fmt::format("{}{:02}{:02} {:02}:{:02}:{:02}.{:06} {} relud]",
                     LevelLetter(level), utc.tm.tm_mon + 1, utc.tm.tm_mday,
                     utc.tm.tm_hour, utc.tm.tm_min, utc.tm.tm_sec,
                     utc.microseconds, getpid());
}

// A text with spaces or quotes is quoted, so that a line can be taken apart.
std::string FieldText(std::string_view value) {
  std::string text = Printable(value, kMaxMessageBytes);
  if (!text.empty() && text.find_first_of(" =\"") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  }
  return quoted + '"';
}

void AppendFields(std::span<const LogField> fields, std::string& line) {
  for (const LogField& field : fields) {
    const std::string value = std::visit(
        [](const auto& typed) {
          if constexpr (std::is_same_v<std::decay_t<decltype(typed)>,
                                       std::string_view>) {
            return FieldText(typed);
          } else {
            return fmt::format("{}", typed);
          }
        },
        field.value);
    line += fmt::format(" {}={}", field.name, value);
  }
}

std::string JsonLine(LogLevel level, const CalendarTime& utc,
                     std::string_view message,
                     std::span<const LogField> fields) {
  // Ordered, so that lines look alike.
  nlohmann::ordered_json line = {
      {"time", Timestamp(utc)},
      {"level", LevelName(level)},
      {"message", Printable(message, kMaxMessageBytes)}};
  for (const LogField& field : fields) {
    std::visit(
        [&](const auto& typed) {
          if constexpr (std::is_same_v<std::decay_t<decltype(typed)>,
                                       std::string_view>) {
            line[std::string(field.name)] = Printable(typed, kMaxMessageBytes);
          } else {
            line[std::string(field.name)] = typed;
          }
        },
        field.value);
  }
  return line.dump();
}

}  // namespace

std::string FormatLogLine(LogFormat format, LogLevel level,
                          std::chrono::system_clock::time_point time,
                          std::string_view message,
                          std::span<const LogField> fields) {
  const CalendarTime utc = ToUtc(time);
  if (format == LogFormat::kJson) {
    return JsonLine(level, utc, message, fields);
  }
  const std::string prefix =
      format == LogFormat::kTriton
          ? TritonPrefix(level, utc)
          : fmt::format("{} {:<7}", Timestamp(utc), LevelName(level));
  std::string line =
      fmt::format("{} {}", prefix, Printable(message, kMaxMessageBytes));
  AppendFields(fields, line);
  return line;
}

}  // namespace relu
