#include "tests/benchmark/report.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "nlohmann/json.hpp"

namespace relu::benchmarks {
namespace {

double Gflops(const ReportRow& row) {
  return row.measurement.operations / row.result.engines[0].median_us / 1e3;
}

double GigabytesPerSecond(const ReportRow& row) {
  return static_cast<double>(row.measurement.weight_bytes) /
         row.result.engines[0].median_us / 1e3;
}

nlohmann::ordered_json JsonOf(const ReportRow& row) {
  nlohmann::ordered_json json = {
      {"name", NameOf(row.measured, row.batch)},
      {"table", row.measured.table},
      {"network", row.measured.network},
      {"sizes", row.measured.sizes},
      {"batch", row.batch},
      {"threads", row.measurement.threads},
      {"zeros", row.measured.input_zeros},
      {"rounds", row.result.rounds},
      {"weight_bytes", row.measurement.weight_bytes},
      {"gflops", Gflops(row)},
      {"gigabytes_per_second", GigabytesPerSecond(row)},
      {"share_of_fma", row.result.roofline.share_of_fma},
      {"share_of_limit", row.result.roofline.share_of_limit},
      {"peak_gflops", row.result.roofline.gflops},
      {"peak_gigabytes_per_second", row.result.roofline.gigabytes},
  };
  for (const EngineTimes& engine : row.result.engines) {
    json["engines"].push_back({{"name", engine.name},
                               {"median_us", engine.median_us},
                               {"best_us", engine.best_us},
                               {"ratio", engine.ratio}});
  }
  return json;
}

nlohmann::ordered_json JsonOf(
    const std::vector<std::pair<std::string, std::string>>& pairs) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, value] : pairs) {
    json[key] = value;
  }
  return json;
}

}  // namespace

std::string TextHeader() {
  return fmt::format("{:26} {:>2} {:>10} {:>10} {:>6} {:>6} {:>5} {:>5}  {}",
                     "case/network/rows", "T", "us", "best us", "GF/s", "GB/s",
                     "%FMA", "%lim", "time of each peer by ours");
}

std::string TextOf(const ReportRow& row) {
  const Roofline& roofline = row.result.roofline;
  std::string text = fmt::format(
      "{:26} {:2} {:10.2f} {:10.2f} {:6.1f} {:6.1f} {:5.0f} {:5.0f} ",
      NameOf(row.measured, row.batch), row.measurement.threads,
      row.result.engines[0].median_us, row.result.engines[0].best_us,
      Gflops(row), GigabytesPerSecond(row), 100.0 * roofline.share_of_fma,
      100.0 * roofline.share_of_limit);
  for (std::size_t i = 1; i < row.result.engines.size(); ++i) {
    text += fmt::format(" {} {:.2f}", row.result.engines[i].name,
                        row.result.engines[i].ratio);
  }
  return text;
}

absl::Status WriteJson(const Report& report,
                       const std::filesystem::path& file) {
  nlohmann::ordered_json json = {
      {"machine", JsonOf(report.machine)},
      {"engines", JsonOf(report.engines)},
      {"rows", nlohmann::ordered_json::array()},
  };
  for (const ReportRow& row : report.rows) {
    json["rows"].push_back(JsonOf(row));
  }
  std::ofstream stream(file);
  stream << json.dump(1) << '\n';
  if (!stream.flush()) {
    return absl::PermissionDeniedError(
        fmt::format("{}: cannot be written", file.string()));
  }
  return absl::OkStatus();
}

}  // namespace relu::benchmarks
