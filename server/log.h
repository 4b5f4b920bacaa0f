// The log of the server: lines on standard error, as text or as JSON.

#ifndef SERVER_LOG_H_
#define SERVER_LOG_H_

#include <string>
#include <string_view>

namespace relu {

enum class LogFormat { kText, kJson };

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError, kOff };

struct LogOptions {
  LogFormat format = LogFormat::kText;
  LogLevel level = LogLevel::kInfo;
};

// Call once, before the first Log() and before threads are started.
void InitLog(const LogOptions& options);

// Thread-safe. A message is always one line: what clients made up in it cannot
// forge another.
void Log(LogLevel level, std::string_view message);

// One line of the log, without its line end; for InitLog and for tests.
// `timestamp` is printed as it is.
std::string FormatLogLine(LogFormat format, LogLevel level,
                          std::string_view timestamp, std::string_view message);

}  // namespace relu

#endif  // SERVER_LOG_H_
