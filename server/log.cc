#include "server/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"

#include "core/base/mutex.h"
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

// A line that cannot be written is lost: there is nowhere to say so.
void WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(0, written)));
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
    int file = STDERR_FILENO;
    if (!settings.file.empty()) {
      constexpr mode_t kOwnerAndGroup = 0640;
      file = open(settings.file.c_str(),
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kOwnerAndGroup);
      if (file < 0) {
        return absl::InvalidArgumentError(
            fmt::format("log file '{}' cannot be opened: {}", settings.file,
                        std::strerror(errno)));
      }
    }
    const MutexLock lock(mu_);
    settings_ = settings;
    mask_.store(Mask(settings), std::memory_order_relaxed);
    if (const int old = std::exchange(file_, file); old != STDERR_FILENO) {
      close(old);
    }
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
    std::string line =
        FormatLogLine(settings().format, level, now, message, fields);
    line += '\n';
    const MutexLock lock(mu_);
    WriteAll(file_, line);
  }

 private:
  mutable Mutex mu_;
  LogSettings settings_ ABSL_GUARDED_BY(mu_);
  // Ours to close, unless it is standard error.
  int file_ ABSL_GUARDED_BY(mu_) = STDERR_FILENO;
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
