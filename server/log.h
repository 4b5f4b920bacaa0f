// The log of the server: lines on standard error or in a file, and what can be
// changed of it while the server runs.

#ifndef SERVER_LOG_H_
#define SERVER_LOG_H_

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"

#include "server/log_line.h"

namespace relu {

// What LogSettings, of Triton's protocol, reads and changes.
struct LogSettings {
  LogFormat format = LogFormat::kText;
  bool info = true;
  bool warning = true;
  bool error = true;
  int verbose_level = 0;  // 1: debug lines, 2 and more: trace lines too.
  std::string file;       // Lines are appended to it; empty: standard error.
};

// The settings with which no line less severe than `least` is logged.
LogSettings LogFrom(LogLevel least);

// Thread-safe, all of them. The log belongs to the process.
LogSettings GetLogSettings();

// INVALID_ARGUMENT, naming it, if the file cannot be opened; then nothing has
// changed.
absl::Status SetLogSettings(const LogSettings& settings);

// A message is always one line: what clients made up in it cannot forge
// another.
void Log(LogLevel level, std::string_view message,
         std::span<const LogField> fields = {});
inline void Log(LogLevel level, std::string_view message,
                std::initializer_list<LogField> fields) {
  Log(level, message, std::span(fields.begin(), fields.size()));
}

}  // namespace relu

#endif  // SERVER_LOG_H_
