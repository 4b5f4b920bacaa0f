#include "server/log.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "spdlog/formatter.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

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

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

LogLevel FromSpdlog(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
      return LogLevel::kTrace;
    case spdlog::level::debug:
      return LogLevel::kDebug;
    case spdlog::level::info:
      return LogLevel::kInfo;
    case spdlog::level::warn:
      return LogLevel::kWarning;
    default:
      return LogLevel::kError;
  }
}

// "2026-01-31T23:59:59.123456Z"
std::string Timestamp(std::chrono::system_clock::time_point time) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(
                          time.time_since_epoch())
                          .count();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::floor<std::chrono::seconds>(time));
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                     utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, micros % 1'000'000);
}

class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& message,
              spdlog::memory_buf_t& out) override {
    const std::string line = FormatLogLine(
        format_, FromSpdlog(message.level), Timestamp(message.time),
        {message.payload.data(), message.payload.size()});
    out.append(line.data(), line.data() + line.size());
    out.push_back('\n');
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(format_);
  }

 private:
  LogFormat format_;
};

std::shared_ptr<spdlog::logger> MakeLogger(const LogOptions& options) {
  auto logger = std::make_shared<spdlog::logger>(
      "relud", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::make_unique<LineFormatter>(options.format));
  logger->set_level(ToSpdlog(options.level));
  logger->flush_on(spdlog::level::trace);
  return logger;
}

}  // namespace

std::string FormatLogLine(LogFormat format, LogLevel level,
                          std::string_view timestamp,
                          std::string_view message) {
  const std::string text = Printable(message, kMaxMessageBytes);
  if (format == LogFormat::kText) {
    return fmt::format("{} {:<7} {}", timestamp, LevelName(level), text);
  }
  // Ordered, so that lines look alike.
  const nlohmann::ordered_json line = {
      {"time", timestamp}, {"level", LevelName(level)}, {"message", text}};
  return line.dump();
}

void InitLog(const LogOptions& options) {
  spdlog::set_default_logger(MakeLogger(options));
}

void Log(LogLevel level, std::string_view message) {
  spdlog::default_logger_raw()->log(
      ToSpdlog(level), spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace relu
