#include "server/access_log.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "core/base/mutex.h"
#include "core/metrics/reject_reason.h"
#include "server/log.h"
#include "server/log_line.h"
#include "server/text.h"
#include "server/trace_context.h"

namespace relu {
namespace {

double Microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

void AddText(std::string_view name, std::string_view value,
             std::vector<LogField>& fields) {
  if (!value.empty()) {
    fields.push_back({name, value});
  }
}

}  // namespace

AccessLog::Sampling AccessLog::sampling() const {
  const MutexLock lock(mu_);
  return {.share = share_.load(std::memory_order_relaxed), .rate = rate_};
}

void AccessLog::SetSampling(const Sampling& sampling) {
  const MutexLock lock(mu_);
  share_.store(sampling.share, std::memory_order_relaxed);
  rate_ = sampling.rate;
}

// Evenly spread: one of a hundred is one of any hundred that follow each other.
bool AccessLog::TakeSample(double share) {
  const auto before =
      static_cast<double>(inferences_.fetch_add(1, std::memory_order_relaxed));
  return std::floor((before + 1) * share) > std::floor(before * share);
}

bool AccessLog::TakeError() {
  const std::chrono::steady_clock::time_point now = options_.now();
  const MutexLock lock(mu_);
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    errors_ = 0;
  }
  return errors_++ < options_.errors_per_second;
}

void AccessLog::Write(const AccessEntry& entry) {
  const std::string model = Printable(entry.model);
  const std::string id = Printable(entry.id);
  const std::string request_id = Printable(entry.ids.request_id);
  const std::string code = absl::StatusCodeToString(entry.code);
  std::vector<LogField> fields = {{"protocol", entry.ids.protocol},
                                  {"model", model}};
  AddText("version", entry.version, fields);
  fields.push_back({"code", code});
  if (entry.reason != RejectReason::kNone) {
    fields.push_back({"reason", RejectReasonName(entry.reason)});
  }
  fields.push_back({"total_us", Microseconds(entry.total)});
  fields.push_back(
      {"request_bytes", static_cast<std::int64_t>(entry.request_bytes)});
  if (entry.code == absl::StatusCode::kOk) {
    fields.push_back({"rows", entry.rows});
    fields.push_back({"batch_rows", entry.batch_rows});
    fields.push_back({"queue_us", Microseconds(entry.queue)});
    fields.push_back({"compute_us", Microseconds(entry.compute)});
  }
  AddText("id", id, fields);
  AddText("request_id", request_id, fields);
  const std::optional<TraceContext> trace =
      ParseTraceparent(entry.ids.traceparent);
  if (trace.has_value()) {
    fields.push_back({"trace_id", trace->trace_id});
    fields.push_back({"parent_id", trace->parent_id});
  }
  Log(LogLevel::kInfo, "inference", fields);
}

}  // namespace relu
