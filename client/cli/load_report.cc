#include "client/cli/load_report.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "client/cli/interval_statistics.h"
#include "client/cli/table.h"
#include "client/load/histogram.h"
#include "client/load/load_run.h"
#include "client/load/measurements.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace relu {
namespace {

using OrderedJson = nlohmann::ordered_json;
using load::Histogram;
using load::Measurements;
using std::chrono::nanoseconds;

// Above this share of its core a client answers late itself.
constexpr double kBusyShare = 0.9;
// Later sends than this, at the 99th percentile, spoil the latencies.
constexpr std::chrono::milliseconds kLateSend(1);

constexpr std::array<double, 7> kPercentiles = {50, 75,   90,   95,
                                                99, 99.9, 99.99};
// How finely the charts of a report are drawn.
constexpr double kBinsPerOctave = 16;

double Microseconds(nanoseconds time) {
  return static_cast<double>(time.count()) / 1e3;
}

// In microseconds, with what digits matter.
std::string TimeText(nanoseconds time) {
  const double us = Microseconds(time);
  return us < 100 ? fmt::format("{:.1f}", us) : fmt::format("{:.0f}", us);
}

std::string PercentileName(double percent) {
  return fmt::format("p{}", percent);
}

double SecondsOf(const Measurements& measurements) {
  return std::chrono::duration<double>(measurements.length).count();
}

double PerSecond(std::uint64_t count, const Measurements& measurements) {
  return measurements.length > nanoseconds(0)
             ? static_cast<double>(count) / SecondsOf(measurements)
             : 0;
}

std::string CodeName(std::size_t code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

// --- Table ---

TableRow LatencyRow(std::string_view name, const Histogram& histogram) {
  TableRow row = {
      std::string(name),
      TimeText(std::chrono::duration_cast<nanoseconds>(histogram.mean()))};
  for (const double percent : kPercentiles) {
    row.push_back(TimeText(histogram.Percentile(percent)));
  }
  row.push_back(TimeText(histogram.max()));
  return row;
}

std::string LatencyTable(const LoadReport& report, const Measurements& total) {
  TableRow header = {"latency, us", "mean"};
  for (const double percent : kPercentiles) {
    header.push_back(PercentileName(percent));
  }
  header.emplace_back("max");
  std::vector<TableRow> rows = {
      LatencyRow("from the intended start", total.latency),
      LatencyRow("from the send", total.service_time),
      LatencyRow("of the send itself", total.send_delay)};
  for (std::size_t i = 0; report.models.size() > 1 && i < total.models.size();
       ++i) {
    rows.push_back(LatencyRow(report.models[i], total.models[i].latency));
  }
  return FormatTable(header, rows);
}

std::string ErrorTable(const Measurements& total) {
  std::vector<TableRow> rows;
  const auto message = [&total](absl::StatusCode code) {
    const auto found = total.messages.find(code);
    return found == total.messages.end() ? std::string() : found->second;
  };
  for (std::size_t code = 1; code < total.codes.size(); ++code) {
    if (total.codes[code] > 0) {
      rows.push_back({CodeName(code), fmt::format("{}", total.codes[code]),
                      message(static_cast<absl::StatusCode>(code))});
    }
  }
  if (total.mismatches > 0) {
    rows.push_back({"wrong answer", fmt::format("{}", total.mismatches),
                    message(absl::StatusCode::kOk)});
  }
  if (total.unsent > 0) {
    rows.push_back({"never sent", fmt::format("{}", total.unsent),
                    "the run was over before they could be"});
  }
  if (rows.empty()) {
    return {};
  }
  return fmt::format("\n{}",
                     FormatTable({"failed", "calls", "the first one"}, rows));
}

std::string ServerTable(const std::vector<IntervalStatistics>& models) {
  if (models.empty()) {
    return {};
  }
  std::vector<TableRow> rows;
  for (const IntervalStatistics& model : models) {
    rows.push_back({model.name, model.version,
                    fmt::format("{}", model.requests),
                    fmt::format("{:.1f}", model.total_us),
                    fmt::format("{:.1f}", model.queue_us),
                    fmt::format("{:.1f}", model.compute_input_us),
                    fmt::format("{:.1f}", model.compute_infer_us),
                    fmt::format("{:.1f}", model.compute_output_us),
                    fmt::format("{:.2f}", RowsPerBatch(model))});
  }
  return fmt::format(
      "\n{}", FormatTable({"the server says", "version", "requests", "mean us",
                           "queue us", "input us", "compute us", "output us",
                           "rows/batch"},
                          rows));
}

std::string FullTable(const LoadReport& report, const LoadStep& step) {
  const Measurements& total = step.result.total;
  std::string text = FormatTable(
      {"load", PaceText(step.pace)},
      {{"measured", fmt::format("{:.2f} s{}", SecondsOf(total),
                                step.result.stable ? ", stable" : "")},
       {"throughput", fmt::format("{:.1f} calls/s, {:.1f} rows/s",
                                  CallsPerSecond(total), RowsPerSecond(total))},
       {"calls", fmt::format("{} good, {} failed", total.good(),
                             total.failed() + total.unsent)},
       {"sent",
        fmt::format("{:.1f} calls/s, {:.2f} MB/s", PerSecond(total.sent, total),
                    PerSecond(total.bytes_sent, total) / 1e6)},
       {"received", fmt::format("{:.2f} MB/s",
                                PerSecond(total.bytes_received, total) / 1e6)},
       {"client CPU",
        fmt::format("{:.0f} % of {} core{}",
                    100 * ClientCpuShare(total, report.threads), report.threads,
                    report.threads == 1 ? "" : "s")}});
  return fmt::format("{}\n{}{}{}", text, LatencyTable(report, total),
                     ServerTable(step.server), ErrorTable(total));
}

std::string SweepTable(const LoadReport& report) {
  std::vector<TableRow> rows;
  for (const LoadStep& step : report.steps) {
    const Measurements& total = step.result.total;
    rows.push_back(
        {PaceText(step.pace), fmt::format("{:.1f}", CallsPerSecond(total)),
         fmt::format("{:.1f}", RowsPerSecond(total)),
         TimeText(total.latency.Percentile(50)),
         TimeText(total.latency.Percentile(90)),
         TimeText(total.latency.Percentile(99)),
         TimeText(total.latency.Percentile(99.9)),
         TimeText(total.latency.max()),
         fmt::format("{}", total.failed() + total.unsent),
         fmt::format("{:.0f} %", 100 * ClientCpuShare(total, report.threads))});
  }
  return FormatTable({"load", "calls/s", "rows/s", "p50 us", "p90 us", "p99 us",
                      "p99.9 us", "max us", "failed", "client CPU"},
                     rows);
}

std::string PeakText(const LoadPeak& peak) {
  const std::string target =
      fmt::format("a p{} of at most {} ms", peak.percentile, peak.target_ms);
  return peak.per_second.has_value()
             ? fmt::format("peak: {:.1f} calls/s with {}\n", *peak.per_second,
                           target)
             : fmt::format("peak: no rate that was tried has {}\n", target);
}

// --- JSON ---

OrderedJson LatencyJson(const Histogram& histogram) {
  OrderedJson json = {{"count", histogram.count()},
                      {"mean", histogram.mean().count() / 1e3},
                      {"min", Microseconds(histogram.min())}};
  for (const double percent : kPercentiles) {
    json[PercentileName(percent)] = Microseconds(histogram.Percentile(percent));
  }
  json["max"] = Microseconds(histogram.max());
  return json;
}

// [[percent, us], ...] towards 100 % in ever smaller steps, as far as there are
// calls beyond it.
OrderedJson PercentileCurve(const Histogram& histogram) {
  OrderedJson points = OrderedJson::array();
  const auto count = static_cast<double>(histogram.count());
  for (double rest = 100; count > 0 && rest / 100 * count >= 1;
       rest *= 0.8912509381337456) {  // 20 points a power of ten.
    const double percent = 100 - rest;
    points.push_back({percent, Microseconds(histogram.Percentile(percent))});
  }
  if (count > 0) {
    points.push_back({100, Microseconds(histogram.max())});
  }
  return points;
}

// [[from us, to us, count], ...] in bins that grow with the time.
OrderedJson Bins(const Histogram& histogram) {
  OrderedJson bins = OrderedJson::array();
  double limit = 0;
  for (const Histogram::Bucket& bucket : histogram.Buckets()) {
    const double lowest = Microseconds(bucket.lowest);
    const double highest = Microseconds(bucket.highest + nanoseconds(1));
    if (lowest >= limit) {
      bins.push_back({lowest, highest, 0});
      limit = std::max(lowest, 0.1) * std::exp2(1 / kBinsPerOctave);
    }
    bins.back()[1] = highest;
    bins.back()[2] = bins.back()[2].get<std::uint64_t>() + bucket.count;
  }
  return bins;
}

OrderedJson WindowsJson(const std::vector<Measurements>& windows) {
  OrderedJson array = OrderedJson::array();
  double start_seconds = 0;
  for (const Measurements& window : windows) {
    array.push_back({{"start_seconds", start_seconds},
                     {"seconds", SecondsOf(window)},
                     {"calls_per_second", CallsPerSecond(window)},
                     {"failed", window.failed()},
                     {"p50_us", Microseconds(window.latency.Percentile(50))},
                     {"p90_us", Microseconds(window.latency.Percentile(90))},
                     {"p99_us", Microseconds(window.latency.Percentile(99))},
                     {"max_us", Microseconds(window.latency.max())}});
    start_seconds += SecondsOf(window);
  }
  return array;
}

OrderedJson ErrorsJson(const Measurements& total) {
  OrderedJson errors = OrderedJson::array();
  for (std::size_t code = 1; code < total.codes.size(); ++code) {
    if (total.codes[code] > 0) {
      const auto found =
          total.messages.find(static_cast<absl::StatusCode>(code));
      errors.push_back(
          {{"code", CodeName(code)},
           {"count", total.codes[code]},
           {"message", found == total.messages.end() ? "" : found->second}});
    }
  }
  return errors;
}

OrderedJson PaceJson(const load::Pace& pace) {
  if (const auto* const closed = std::get_if<load::Concurrency>(&pace)) {
    return {{"concurrency", closed->calls}};
  }
  if (const auto* const rate = std::get_if<load::Rate>(&pace)) {
    return {{"rate", rate->per_second},
            {"arrivals", rate->poisson ? "poisson" : "constant"}};
  }
  return {{"replay", std::get<load::Replayed>(pace).times->size()}};
}

OrderedJson ModelsJson(const LoadReport& report, const Measurements& total) {
  OrderedJson models = OrderedJson::array();
  for (std::size_t i = 0; i < report.models.size() && i < total.models.size();
       ++i) {
    models.push_back({{"name", report.models[i]},
                      {"good", total.models[i].good},
                      {"failed", total.models[i].failed},
                      {"latency_us", LatencyJson(total.models[i].latency)}});
  }
  return models;
}

OrderedJson ServerJson(const std::vector<IntervalStatistics>& models) {
  OrderedJson array = OrderedJson::array();
  for (const IntervalStatistics& model : models) {
    OrderedJson json = {{"model", model.name},
                        {"version", model.version},
                        {"requests", model.requests},
                        {"failures", model.failures},
                        {"rows", model.rows},
                        {"batches", model.batches},
                        {"rows_per_batch", RowsPerBatch(model)},
                        {"mean_us", model.total_us},
                        {"queue_us", model.queue_us},
                        {"compute_input_us", model.compute_input_us},
                        {"compute_infer_us", model.compute_infer_us},
                        {"compute_output_us", model.compute_output_us}};
    json["batch_sizes"] = OrderedJson::array();
    for (const auto& [size, count] : model.batch_sizes) {
      json["batch_sizes"].push_back({{"rows", size}, {"batches", count}});
    }
    array.push_back(std::move(json));
  }
  return array;
}

OrderedJson StepJson(const LoadReport& report, const LoadStep& step) {
  const Measurements& total = step.result.total;
  OrderedJson json = {{"load", PaceText(step.pace)},
                      {"pace", PaceJson(step.pace)}};
  json["measured_seconds"] = SecondsOf(total);
  json["stable"] = step.result.stable;
  json["calls_per_second"] = CallsPerSecond(total);
  json["rows_per_second"] = RowsPerSecond(total);
  json["sent_per_second"] = PerSecond(total.sent, total);
  json["calls"] = {{"good", total.good()},
                   {"failed", total.failed()},
                   {"timeouts", total.timeouts},
                   {"mismatches", total.mismatches},
                   {"unsent", total.unsent}};
  json["errors"] = ErrorsJson(total);
  json["latency_us"] = LatencyJson(total.latency);
  json["service_time_us"] = LatencyJson(total.service_time);
  json["send_delay_us"] = LatencyJson(total.send_delay);
  json["bytes_sent"] = total.bytes_sent;
  json["bytes_received"] = total.bytes_received;
  json["client_cpu_share"] = ClientCpuShare(total, report.threads);
  json["models"] = ModelsJson(report, total);
  json["server"] = ServerJson(step.server);
  json["warnings"] = step.warnings;
  json["windows"] = WindowsJson(step.result.windows);
  json["percentiles"] = PercentileCurve(total.latency);
  json["service_percentiles"] = PercentileCurve(total.service_time);
  json["histogram"] = Bins(total.latency);
  return json;
}

}  // namespace

std::string PaceText(const load::Pace& pace) {
  if (const auto* const closed = std::get_if<load::Concurrency>(&pace)) {
    return fmt::format("{} in flight", closed->calls);
  }
  if (const auto* const rate = std::get_if<load::Rate>(&pace)) {
    return fmt::format("{:.6g}/s{}", rate->per_second,
                       rate->poisson ? " (Poisson)" : "");
  }
  return fmt::format("replay of {} times",
                     std::get<load::Replayed>(pace).times->size());
}

double CallsPerSecond(const Measurements& measurements) {
  return PerSecond(measurements.answered, measurements);
}

double RowsPerSecond(const Measurements& measurements) {
  return PerSecond(measurements.rows, measurements);
}

double ClientCpuShare(const Measurements& measurements, int threads) {
  return measurements.length > nanoseconds(0)
             ? std::chrono::duration<double>(measurements.cpu) /
                   std::chrono::duration<double>(measurements.length) / threads
             : 0;
}

std::vector<std::string> WarningsOf(const load::Pace& pace,
                                    const load::LoadResult& result,
                                    int threads) {
  std::vector<std::string> warnings;
  const double cpu = ClientCpuShare(result.total, threads);
  if (cpu > kBusyShare) {
    warnings.push_back(fmt::format(
        "the client used {:.0f} % of {} core{}: it is the limit, not the "
        "server; more --threads may help",
        100 * cpu, threads, threads == 1 ? "" : "s"));
  }
  const nanoseconds late = result.total.send_delay.Percentile(99);
  if (!std::holds_alternative<load::Concurrency>(pace) && late > kLateSend) {
    warnings.push_back(fmt::format(
        "1 % of the calls were sent {} us late or later: the client could not "
        "keep up, or the limit --max-in-flight was reached; the latency from "
        "the intended start includes that",
        TimeText(late)));
  }
  if (result.interrupted) {
    warnings.emplace_back("the run was interrupted");
  }
  return warnings;
}

std::string LoadReportTable(const LoadReport& report) {
  std::string text = report.steps.size() == 1
                         ? FullTable(report, report.steps[0])
                         : SweepTable(report);
  for (const LoadStep& step : report.steps) {
    for (const std::string& warning : step.warnings) {
      text += fmt::format("\nwarning: {}: {}\n", PaceText(step.pace), warning);
    }
  }
  if (report.peak.has_value()) {
    text += fmt::format("\n{}", PeakText(*report.peak));
  }
  return text;
}

std::string LoadReportJson(const LoadReport& report) {
  OrderedJson json = {{"server", report.server},
                      {"started", report.started},
                      {"models", report.models}};
  json["settings"] = OrderedJson::object();
  for (const auto& [name, value] : report.settings) {
    json["settings"][name] = value;
  }
  if (report.peak.has_value()) {
    json["peak"] = {{"percentile", report.peak->percentile},
                    {"target_ms", report.peak->target_ms},
                    {"calls_per_second", nullptr}};
    if (report.peak->per_second.has_value()) {
      json["peak"]["calls_per_second"] = *report.peak->per_second;
    }
  }
  json["steps"] = OrderedJson::array();
  for (const LoadStep& step : report.steps) {
    json["steps"].push_back(StepJson(report, step));
  }
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) +
         "\n";
}

std::string LoadReportCsv(const LoadReport& report) {
  std::string text =
      "load,calls_per_second,rows_per_second,sent_per_second,good,failed,"
      "timeouts,mismatches,unsent,mean_us";
  for (const double percent : kPercentiles) {
    text += fmt::format(",{}_us", PercentileName(percent));
  }
  text += ",max_us,service_p50_us,service_p99_us,client_cpu_share\n";
  for (const LoadStep& step : report.steps) {
    const Measurements& total = step.result.total;
    text += fmt::format("{},{:.3f},{:.3f},{:.3f},{},{},{},{},{},{:.3f}",
                        PaceText(step.pace), CallsPerSecond(total),
                        RowsPerSecond(total), PerSecond(total.sent, total),
                        total.good(), total.failed(), total.timeouts,
                        total.mismatches, total.unsent,
                        total.latency.mean().count() / 1e3);
    for (const double percent : kPercentiles) {
      text += fmt::format(",{:.3f}",
                          Microseconds(total.latency.Percentile(percent)));
    }
    text += fmt::format(",{:.3f},{:.3f},{:.3f},{:.4f}\n",
                        Microseconds(total.latency.max()),
                        Microseconds(total.service_time.Percentile(50)),
                        Microseconds(total.service_time.Percentile(99)),
                        ClientCpuShare(total, report.threads));
  }
  return text;
}

}  // namespace relu
