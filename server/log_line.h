// One line of the log, in each of its formats.

#ifndef SERVER_LOG_LINE_H_
#define SERVER_LOG_LINE_H_

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace relu {

enum class LogFormat {
  kText,    // 2026-01-31T23:59:59.123456Z info    message key=value
  kJson,    // {"time":...,"level":"info","message":...,"key":...}
  kTriton,  // I0131 23:59:59.123456 4711 relud] message key=value
};

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError, kOff };

// A value beside the message. Borrows its texts.
struct LogField {
  std::string_view name;  // A word of ours: snake_case.
  std::variant<std::string_view, std::int64_t, double> value;
};

// Without a line end; always one line: what clients made up in the message or
// in a field cannot forge another.
std::string FormatLogLine(LogFormat format, LogLevel level,
                          std::chrono::system_clock::time_point time,
                          std::string_view message,
                          std::span<const LogField> fields = {});

}  // namespace relu

#endif  // SERVER_LOG_LINE_H_
