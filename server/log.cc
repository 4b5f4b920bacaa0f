#include "server/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <spdlog/common.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

// One bit for each level that is logged.
std::uint32_t Mask(const LogSettings& settings) {
  const auto bit = [](LogLevel level, bool on) {
    return on ? 1U << static_cast<unsigned>(level) : 0U;
  };
  return bit(LogLevel::kTrace, settings.verbose_level >= 2) |
         bit(LogLevel::kDebug, settings.verbose_level >= 1) |
         bit(LogLevel::kInfo, settings.info) |
         bit(LogLevel::kWarning, settings.warning) |
         bit(LogLevel::kError, settings.error);
}

using Logger = std::shared_ptr<spdlog::logger>;

// Writes lines to `sink` as they are: FormatLogLine() makes them.
Logger MakeLogger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("relud", std::move(sink));
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::trace);
  return logger;
}

Logger StandardError() {
  return MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
}

// spdlog would make a file that all can read, and folders too.
void CreateForOwnerAndGroup(const std::string& file) {
  constexpr mode_t kMode = 0640;
  const int created =
      open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode);
  if (created < 0) {
    throw spdlog::spdlog_ex(std::strerror(errno));
  }
  close(created);
}

absl::StatusOr<Logger> OpenLog(const std::string& file) {
  if (file.empty()) {
    return StandardError();
  }
  spdlog::file_event_handlers handlers;
  handlers.before_open = CreateForOwnerAndGroup;
  try {
    return MakeLogger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(
        file, /*truncate=*/false, handlers));
  } catch (const spdlog::spdlog_ex& error) {
    return absl::InvalidArgumentError(
        fmt::format("log file '{}' cannot be opened: {}", file, error.what()));
  }
}

// Thread-safe.
class ProcessLog {
 public:
  LogSettings settings() const ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    return settings_;
  }

  absl::Status Set(const LogSettings& settings) ABSL_LOCKS_EXCLUDED(mu_) {
    ASSIGN_OR_RETURN(Logger logger, OpenLog(settings.file));
    const MutexLock lock(mu_);
    settings_ = settings;
    mask_.store(Mask(settings), std::memory_order_relaxed);
    logger_ = std::move(logger);
    return absl::OkStatus();
  }

  bool enabled(LogLevel level) const {
    return (mask_.load(std::memory_order_relaxed) >>
                static_cast<unsigned>(level) &
            1U) != 0;
  }

  void Write(LogLevel level, std::string_view message,
             std::span<const LogField> fields) ABSL_LOCKS_EXCLUDED(mu_) {
    const auto now = std::chrono::system_clock::now();
    LogFormat format = LogFormat::kText;
    Logger logger;
    {
      const MutexLock lock(mu_);
      format = settings_.format;
      logger = logger_;
    }
    logger->log(spdlog::level::info,
                FormatLogLine(format, level, now, message, fields));
  }

 private:
  mutable Mutex mu_;
  LogSettings settings_ ABSL_GUARDED_BY(mu_);
  Logger logger_ ABSL_GUARDED_BY(mu_) = StandardError();
  // A hint to save the work of lines that nobody wants: nothing is published
  // through it.
  std::atomic<std::uint32_t> mask_ = Mask(LogSettings());
};

// The one thing that belongs to the process: whoever fails must be able to say
// so, and there is one standard error.
ProcessLog& TheLog() {
  static ProcessLog log;
  return log;
}

}  // namespace

LogSettings LogFrom(LogLevel least) {
  LogSettings settings;
  settings.info = least <= LogLevel::kInfo;
  settings.warning = least <= LogLevel::kWarning;
  settings.error = least <= LogLevel::kError;
  settings.verbose_level = least == LogLevel::kTrace   ? 2
                           : least == LogLevel::kDebug ? 1
                                                       : 0;
  return settings;
}

LogSettings GetLogSettings() { return TheLog().settings(); }

absl::Status SetLogSettings(const LogSettings& settings) {
  return TheLog().Set(settings);
}

void Log(LogLevel level, std::string_view message,
         std::span<const LogField> fields) {
  if (TheLog().enabled(level)) {
    TheLog().Write(level, message, fields);
  }
}

}  // namespace relu
