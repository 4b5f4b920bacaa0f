#include "server/trace_handler.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"

#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "server/access_log.h"
#include "server/text.h"

namespace relu {
namespace {

using TraceValue = inference::TraceSettingRequest::SettingValue;

// Triton's, of a server that traces nothing.
constexpr std::uint32_t kDefaultTraceRate = 1000;

struct TraceSettings {
  bool on = false;
  std::uint32_t rate = kDefaultTraceRate;
};

TraceSettings FromShare(double share) {
  if (share <= 0) {
    return {};
  }
  return {.on = true,
          .rate = static_cast<std::uint32_t>(std::lround(
              std::fmin(1 / share, static_cast<double>(UINT32_MAX))))};
}

absl::Status WrongTraceSetting(std::string_view name, std::string_view wanted) {
  return absl::InvalidArgumentError(
      fmt::format("trace setting '{}': expected {}", Printable(name), wanted));
}

absl::Status SetTraceLevel(const TraceValue& value, TraceSettings& settings) {
  settings.on = false;
  for (const std::string& level : value.value()) {
    if (level == "TENSORS") {
      return absl::UnimplementedError(
          "trace setting 'trace_level': relud does not write tensors to its "
          "log, expected 'TIMESTAMPS' or 'OFF'");
    }
    if (level != "TIMESTAMPS" && level != "OFF") {
      return WrongTraceSetting("trace_level", "'TIMESTAMPS' or 'OFF'");
    }
    settings.on = settings.on || level == "TIMESTAMPS";
  }
  return absl::OkStatus();
}

absl::Status SetTraceRate(const TraceValue& value, TraceSettings& settings) {
  const std::string& text = value.value(0);
  std::uint32_t rate = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), rate);
  if (value.value_size() != 1 || error != std::errc() ||
      end != text.data() + text.size() || rate == 0) {
    return WrongTraceSetting("trace_rate", "a number of 1 or more");
  }
  settings.rate = rate;
  return absl::OkStatus();
}

absl::Status SetTraceSetting(const std::string& name, const TraceValue& value,
                             const TraceSettings& at_start,
                             TraceSettings& settings) {
  const bool clears = value.value().empty();
  if (name == "trace_level") {
    if (clears) {
      settings.on = at_start.on;
      return absl::OkStatus();
    }
    return SetTraceLevel(value, settings);
  }
  if (name == "trace_rate") {
    if (clears) {
      settings.rate = at_start.rate;
      return absl::OkStatus();
    }
    return SetTraceRate(value, settings);
  }
  for (const std::string_view fixed :
       {"trace_count", "trace_mode", "trace_file", "log_frequency"}) {
    if (name == fixed) {
      return absl::UnimplementedError(fmt::format(
          "trace setting '{}' cannot be changed: traces are lines of the log "
          "of relud",
          name));
    }
  }
  return WrongTraceSetting(name, "trace_level or trace_rate");
}

}  // namespace

absl::Status UpdateTraceSettings(const inference::TraceSettingRequest& request,
                                 AccessLog& access_log,
                                 inference::TraceSettingResponse& response) {
  if (!request.model_name().empty() && !request.settings().empty()) {
    return absl::UnimplementedError(fmt::format(
        "trace settings of model '{}': relud traces all models alike, expected "
        "no model",
        Printable(request.model_name())));
  }
  // Of two clients that change different settings, both do.
  static Mutex mu;
  const MutexLock lock(mu);
  const AccessLog::Sampling sampling = access_log.sampling();
  const TraceSettings at_start = FromShare(access_log.options().share);
  TraceSettings settings{.on = sampling.share > 0, .rate = sampling.rate};
  if (settings.rate == 0) {
    settings.rate = at_start.rate;
  }
  for (const auto& [name, value] : request.settings()) {
    RETURN_IF_ERROR(SetTraceSetting(name, value, at_start, settings));
  }
  if (!request.settings().empty()) {
    access_log.SetSampling({.share = settings.on ? 1.0 / settings.rate : 0.0,
                            .rate = settings.rate});
  }
  auto& answer = *response.mutable_settings();
  answer["trace_level"].add_value(settings.on ? "TIMESTAMPS" : "OFF");
  answer["trace_rate"].add_value(fmt::format("{}", settings.rate));
  answer["trace_count"].add_value("-1");
  answer["trace_mode"].add_value("log");
  return absl::OkStatus();
}

}  // namespace relu
