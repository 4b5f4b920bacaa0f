#include "server/log_handler.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "server/log.h"
#include "server/text.h"

namespace relu {
namespace {

using LogSettingValue = inference::LogSettingsRequest::SettingValue;

constexpr std::array<std::pair<std::string_view, LogFormat>, 3> kLogFormats = {
    {{"default", LogFormat::kTriton},
     {"ISO8601", LogFormat::kText},
     {"JSON", LogFormat::kJson}}};

absl::Status WrongSetting(std::string_view name, std::string_view wanted) {
  return absl::InvalidArgumentError(
      fmt::format("log setting '{}': expected {}", Printable(name), wanted));
}

absl::Status SetLogFormat(const std::string& name, LogSettings& settings) {
  const auto* const format = std::ranges::find(
      kLogFormats, name, &std::pair<std::string_view, LogFormat>::first);
  if (format == kLogFormats.end()) {
    return WrongSetting("log_format", "'default', 'ISO8601' or 'JSON'");
  }
  settings.format = format->second;
  return absl::OkStatus();
}

absl::Status SetLogSetting(const std::string& name,
                           const LogSettingValue& value,
                           LogSettings& settings) {
  const std::pair<std::string_view, bool*> switches[] = {
      {"log_info", &settings.info},
      {"log_warning", &settings.warning},
      {"log_error", &settings.error}};
  for (const auto& [known, target] : switches) {
    if (name == known) {
      if (!value.has_bool_param()) {
        return WrongSetting(name, "a bool_param");
      }
      *target = value.bool_param();
      return absl::OkStatus();
    }
  }
  if (name == "log_verbose_level") {
    if (!value.has_uint32_param()) {
      return WrongSetting(name, "a uint32_param");
    }
    settings.verbose_level = static_cast<int>(std::min<unsigned>(
        value.uint32_param(), std::numeric_limits<int>::max()));
    return absl::OkStatus();
  }
  if (name == "log_format") {
    return value.has_string_param()
               ? SetLogFormat(value.string_param(), settings)
               : WrongSetting(name, "a string_param");
  }
  if (name == "log_file") {
    return absl::UnimplementedError(
        "log file location can not be updated through network protocol: start "
        "relud with --log-file");
  }
  return WrongSetting(name,
                      "log_info, log_warning, log_error, log_verbose_level or "
                      "log_format");
}

void AnswerLogSettings(const LogSettings& settings,
                       inference::LogSettingsResponse& response) {
  auto& answer = *response.mutable_settings();
  answer["log_file"].set_string_param(settings.file);
  answer["log_info"].set_bool_param(settings.info);
  answer["log_warning"].set_bool_param(settings.warning);
  answer["log_error"].set_bool_param(settings.error);
  answer["log_verbose_level"].set_uint32_param(
      static_cast<unsigned>(settings.verbose_level));
  for (const auto& [name, format] : kLogFormats) {
    if (format == settings.format) {
      answer["log_format"].set_string_param(std::string(name));
    }
  }
}

}  // namespace

absl::Status UpdateLogSettings(const inference::LogSettingsRequest& request,
                               inference::LogSettingsResponse& response) {
  // Of two clients that change different settings, both do.
  static Mutex mu;
  const MutexLock lock(mu);
  LogSettings settings = GetLogSettings();
  for (const auto& [name, value] : request.settings()) {
    RETURN_IF_ERROR(SetLogSetting(name, value, settings));
  }
  if (!request.settings().empty()) {
    RETURN_IF_ERROR(SetLogSettings(settings));
  }
  AnswerLogSettings(settings, response);
  return absl::OkStatus();
}

}  // namespace relu
